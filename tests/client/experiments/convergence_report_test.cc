#include "client/experiments/convergence_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

TrainedFit ExampleFit(const std::string& preset, const std::string& reason) {
  TrainedFit fit;
  fit.result.key = {"banana", "aisivi", preset, "", 1};
  fit.result.state = "SUCCEEDED";
  fit.result.reason = reason;
  fit.result.known_log_z = 0;
  fit.result.elbo_lower = -0.125;
  for (int i = 0; i <= 100; ++i) {
    v1::FitProgress* report = fit.history.add_reports();
    report->set_phase(v1::FitProgress::PHASE_TRAINING);
    report->set_iteration(i);
    report->set_total_iterations(400);
    report->set_loss(i < 90 ? 100 : 2.5);
  }
  // Later phases count their own iterations.
  fit.history.add_reports()->set_phase(v1::FitProgress::PHASE_EVIDENCE);
  return fit;
}

TEST(ConvergenceReport, LastIteration) {
  const LastIteration last = FindLastIteration(ExampleFit("", "CONVERGED").history);
  EXPECT_EQ(last.iteration, 100);
  EXPECT_EQ(last.total, 400);
  EXPECT_EQ(FindLastIteration({}).total, 0);
  // Stopped early, the last report has a total of its own.
  TrainedFit stopped = ExampleFit("", "CONVERGED");
  stopped.history.mutable_reports(100)->set_total_iterations(100);
  EXPECT_EQ(FindLastIteration(stopped.history).total, 400);
}

TEST(ConvergenceReport, StopInWords) {
  EXPECT_EQ(StopSentence(ExampleFit("", "CONVERGED")),
            "banana, aisivi, defaults, seed 1: the stopping rule ended training after 100 of 400 "
            "iterations.");
  EXPECT_THAT(StopSentence(ExampleFit("", "ITERATION_LIMIT")),
              EndsWith("did not see it settle before."));
  EXPECT_THAT(StopSentence(ExampleFit("aisivi_banana", "ITERATION_LIMIT")),
              EndsWith("a preset's schedule is fixed."));
  EXPECT_THAT(StopSentence(ExampleFit("", "TIME_LIMIT")),
              HasSubstr("by TIME_LIMIT after 100 of 400"));
  EXPECT_THAT(StopSentence(ExampleFit("", "ITERATION_LIMIT")), HasSubstr("400 of 400 iterations"));
  TrainedFit fit = ExampleFit("", "CONVERGED");
  fit.history.Clear();
  EXPECT_THAT(StopSentence(fit), EndsWith("there was no training."));
  fit.result.state = "FAILED";
  EXPECT_THAT(StopSentence(fit), EndsWith("the fit failed."));
}

TEST(ConvergenceReport, TableHasTheEndOfTraining) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  ASSERT_TRUE(WriteConvergenceReport(settings, {"banana"}, {ExampleFit("", "CONVERGED")}).ok());
  EXPECT_THAT(ReadFile(folder / "report.md"),
              HasSubstr("| banana | aisivi, defaults | 1 | 100 | 400 | CONVERGED | 2.50 | - |"));
  EXPECT_THAT(
      ReadFile(folder / "convergence.csv"),
      HasSubstr("\"aisivi, defaults\",1,100,400,CONVERGED,2.5,nan,nan,nan,nan,-0.125,0.125,"));
}

}  // namespace
}  // namespace aisivi::experiments
