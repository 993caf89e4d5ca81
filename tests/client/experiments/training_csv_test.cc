#include "client/experiments/training_csv.h"

#include <gtest/gtest.h>

#include "client/names.h"
#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

v1::TrainingHistory ExampleHistory() {
  v1::TrainingHistory history;
  v1::FitProgress* report = history.add_reports();
  report->set_phase(v1::FitProgress::PHASE_WARM_START);
  *report->mutable_elapsed() = ToDuration(0.1);
  report = history.add_reports();
  report->set_phase(v1::FitProgress::PHASE_TRAINING);
  report->set_iteration(20);
  report->set_total_iterations(2000);
  *report->mutable_elapsed() = ToDuration(0.5);
  report->set_loss(-1.5);
  report->set_flow_loss(2.5);
  report->set_proposal_ess(0.75);
  report->set_score_residual(0.125);
  report->set_elbo(-0.25);
  return history;
}

TEST(TrainingCsv, ComesBack) {
  const Folder folder;
  ASSERT_TRUE(WriteTraining(folder / "t.csv", ExampleHistory()).ok());
  const absl::StatusOr<v1::TrainingHistory> read = ReadTraining(folder / "t.csv");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->DebugString(), ExampleHistory().DebugString());
}

TEST(TrainingCsv, OtherFilesAreRefused) {
  const Folder folder;
  ASSERT_TRUE(WriteTraining(folder / "t.csv", ExampleHistory()).ok());
  const std::string whole = ReadFile(folder / "t.csv");
  for (const std::string& text : {std::string(), std::string("a,b\n"), whole + "TRAINING,1\n",
                                  whole + "NO_PHASE,1,2,3,4,5,6,7,8\n",
                                  whole + "TRAINING,1,2,3,x,5,6,7,8\n", whole + "\"TRAINING\n"}) {
    WriteFile(folder / "bad.csv", text);
    EXPECT_TRUE(absl::IsDataLoss(ReadTraining(folder / "bad.csv").status())) << text;
  }
  EXPECT_TRUE(absl::IsDataLoss(ReadTraining(folder / "none.csv").status()));
}

}  // namespace
}  // namespace aisivi::experiments
