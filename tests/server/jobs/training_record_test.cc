#include "server/jobs/training_record.h"

#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

v1::FitProgress Report(int64_t iteration) {
  v1::FitProgress report;
  report.set_iteration(iteration);
  return report;
}

TEST(TrainingRecordTest, KeepsAllOfAShortRun) {
  TrainingRecord record;
  for (int i = 0; i < TrainingRecord::kMax - 1; ++i) record.Add(Report(i));
  ASSERT_EQ(record.reports().size(), static_cast<size_t>(TrainingRecord::kMax - 1));
  EXPECT_EQ(record.reports().back().iteration(), TrainingRecord::kMax - 2);
}

TEST(TrainingRecordTest, StaysBoundedAndEvenlySpaced) {
  TrainingRecord record;
  for (int64_t i = 0; i < 50 * TrainingRecord::kMax; ++i) record.Add(Report(i));
  const auto& reports = record.reports();
  ASSERT_LT(reports.size(), static_cast<size_t>(TrainingRecord::kMax));
  ASSERT_GE(reports.size(), static_cast<size_t>(TrainingRecord::kMax / 2));
  EXPECT_EQ(reports[0].iteration(), 0);
  const int64_t stride = reports[1].iteration();
  for (size_t i = 1; i < reports.size(); ++i) {
    EXPECT_EQ(reports[i].iteration() - reports[i - 1].iteration(), stride);
  }
}

}  // namespace
}  // namespace aisivi::server
