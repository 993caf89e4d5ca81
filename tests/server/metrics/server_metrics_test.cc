#include "server/metrics/server_metrics.h"

#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Scrape(const ServerMetrics& metrics) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, metrics.Collect());
  return text.str();
}

FitProgress Training(int64_t iteration, double seconds) {
  FitProgress progress;
  progress.phase = FitPhase::kTraining;
  progress.iteration = iteration;
  progress.seconds = seconds;
  progress.loss = -1.25;
  return progress;
}

TEST(ServerMetricsTest, SeriesOfAFitComeAndGoWithIt) {
  ServerMetrics metrics("1.2.3", "some");
  EXPECT_THAT(Scrape(metrics), Not(HasSubstr("fits/a")));
  metrics.Started("fits/a", absl::Milliseconds(1500));
  metrics.Started("fits/b", absl::ZeroDuration());
  metrics.Progressed("fits/a", Training(3, 0.5));
  for (const char* line :
       {"aisivi_fit_iteration{fit=\"fits/a\"} 3", "aisivi_fit_loss{fit=\"fits/a\"} -1.25",
        "aisivi_fit_flow_loss{fit=\"fits/a\"}", "aisivi_fit_proposal_ess{fit=\"fits/a\"}",
        "aisivi_fit_score_residual{fit=\"fits/a\"}", "aisivi_fit_elbo{fit=\"fits/a\"}",
        "aisivi_queue_wait_seconds_count 2", "aisivi_queue_wait_seconds_sum 1.5"}) {
    EXPECT_THAT(Scrape(metrics), HasSubstr(line));
  }
  metrics.Ended("fits/a", v1::Fit::STATE_SUCCEEDED);
  EXPECT_THAT(Scrape(metrics), Not(HasSubstr("fits/a")));
  EXPECT_THAT(Scrape(metrics), HasSubstr("fits/b"));
  EXPECT_THAT(Scrape(metrics), HasSubstr("aisivi_fits_ended_total{state=\"SUCCEEDED\"} 1"));
  metrics.Progressed("fits/a", Training(4, 0.6));
  EXPECT_THAT(Scrape(metrics), Not(HasSubstr("fits/a"))) << "a late report brings nothing back";
}

TEST(ServerMetricsTest, IterationTimeIsTheMeanBetweenReports) {
  ServerMetrics metrics("1", "some");
  metrics.Started("fits/a", absl::ZeroDuration());
  metrics.Progressed("fits/a", Training(10, 1.0));
  metrics.Progressed("fits/a", Training(30, 2.0));
  FitProgress evidence = Training(5, 9.0);
  evidence.phase = FitPhase::kEvidence;
  metrics.Progressed("fits/a", evidence);
  EXPECT_THAT(Scrape(metrics), HasSubstr("aisivi_iteration_seconds_count 1\n"));
  EXPECT_THAT(Scrape(metrics), HasSubstr("aisivi_iteration_seconds_sum 0.05"));
}

TEST(ServerMetricsTest, CountsRpcsBytesAndJobs) {
  ServerMetrics metrics("1.2.3", "x86-64-v3");
  metrics.CountRpc("aisivi.v1.FitService/GetFit", "OK");
  metrics.CountRpc("aisivi.v1.FitService/GetFit", "OK");
  metrics.CountRpc("aisivi.v1.FitService/GetFit", "NOT_FOUND");
  metrics.CountSentBytes(100);
  metrics.SetJobCounter([] { return ServerMetrics::StateCounts{{v1::Fit::STATE_RUNNING, 3}}; });
  for (const char* line :
       {"aisivi_rpcs_total{code=\"OK\",method=\"aisivi.v1.FitService/GetFit\"} 2",
        "aisivi_rpcs_total{code=\"NOT_FOUND\",method=\"aisivi.v1.FitService/GetFit\"} 1",
        "aisivi_sent_bytes_total 100", "aisivi_jobs{state=\"RUNNING\"} 3",
        "aisivi_jobs{state=\"QUEUED\"} 0", "version=\"1.2.3\""}) {
    EXPECT_THAT(Scrape(metrics), HasSubstr(line));
  }
  metrics.SetJobCounter(nullptr);
  EXPECT_THAT(Scrape(metrics), Not(HasSubstr("aisivi_jobs")));
}

TEST(ServerMetricsTest, FitsMayComeAndGoWhileTheyAreScraped) {
  ServerMetrics metrics("1", "some");
  std::vector<std::thread> fits;
  for (int f = 0; f < 3; ++f) {
    fits.emplace_back([&metrics, f] {
      const std::string name = "fits/" + std::to_string(f);
      for (int round = 0; round < 100; ++round) {
        metrics.Started(name, absl::ZeroDuration());
        for (int i = 1; i < 5; ++i) metrics.Progressed(name, Training(i, 0.1 * i));
        metrics.Ended(name, v1::Fit::STATE_SUCCEEDED);
      }
    });
  }
  for (int i = 0; i < 50; ++i) Scrape(metrics);
  for (std::thread& fit : fits) fit.join();
  EXPECT_THAT(Scrape(metrics), Not(HasSubstr("{fit=")));
  EXPECT_THAT(Scrape(metrics), HasSubstr("aisivi_fits_ended_total{state=\"SUCCEEDED\"} 300"));
}

}  // namespace
}  // namespace aisivi::server
