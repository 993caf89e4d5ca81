#include "client/cli/progress_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/terminal.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::WatchFitResponse Training(int64_t sequence, int64_t iteration, double seconds) {
  v1::WatchFitResponse event;
  event.set_sequence(sequence);
  event.set_state(v1::Fit::STATE_RUNNING);
  v1::FitProgress* progress = event.mutable_progress();
  progress->set_phase(v1::FitProgress::PHASE_TRAINING);
  progress->set_iteration(iteration);
  progress->set_total_iterations(2000);
  *progress->mutable_elapsed() = ToDuration(seconds);
  progress->set_elbo(-150.5249);
  progress->set_proposal_ess(0.874);
  progress->set_score_residual(0.0131);
  return event;
}

TEST(ProgressView, TheBarTellsAllWithinItsWidth) {
  ProgressView view(ProgressStyle::kJson);
  testing::internal::CaptureStdout();
  view.Show(Training(1, 0, 2));
  view.Show(Training(2, 1000, 12));
  testing::internal::GetCapturedStdout();
  const std::string bar = view.Bar(Training(3, 1000, 12), 120);
  EXPECT_LT(DisplayWidth(bar), 120);
  EXPECT_THAT(bar, HasSubstr("training"));
  EXPECT_THAT(bar, HasSubstr("1000/2000"));
  EXPECT_THAT(bar, HasSubstr("ELBO -150.525"));
  EXPECT_THAT(bar, HasSubstr("ESS 87 %"));
  EXPECT_THAT(bar, HasSubstr("residual 0.013"));
  EXPECT_THAT(bar, HasSubstr("10.0 s left"));
  EXPECT_THAT(bar, HasSubstr("━─"));
}

TEST(ProgressView, ANarrowBarLeavesOutTheLeastImportant) {
  ProgressView view(ProgressStyle::kLines);
  for (const int width : {20, 30, 40, 60, 80, 200}) {
    const std::string bar = view.Bar(Training(1, 500, 3), width);
    EXPECT_LT(DisplayWidth(bar), std::max(width, 27)) << bar;
    EXPECT_THAT(bar, HasSubstr("500/2000"));
  }
  EXPECT_THAT(view.Bar(Training(1, 500, 3), 50), Not(HasSubstr("residual")));
}

TEST(ProgressView, PlainLinesComeEveryTenthAndAtEveryPhase) {
  ProgressView view(ProgressStyle::kLines);
  testing::internal::CaptureStdout();
  v1::WatchFitResponse event;
  event.set_sequence(1);
  event.set_state(v1::Fit::STATE_QUEUED);
  view.Show(event);
  for (int i = 0; i <= 400; ++i) view.Show(Training(i + 2, i, 0.01 * i));
  const std::string text = testing::internal::GetCapturedStdout();
  // queued, training 0, training 200, training 400.
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4) << text;
  EXPECT_THAT(text, testing::StartsWith("queued\n"));
  EXPECT_THAT(text, HasSubstr("training  200/2000  ELBO -150.525  ESS 87 %"));
  EXPECT_THAT(text, Not(HasSubstr("\r")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(ProgressView, JsonIsOneObjectPerEvent) {
  ProgressView view(ProgressStyle::kJson);
  testing::internal::CaptureStdout();
  view.Show(Training(1, 0, 0));
  view.Show(Training(2, 1, 0.1));
  v1::WatchFitResponse last;
  last.set_sequence(3);
  last.mutable_fit()->set_name("fits/a");
  view.Show(last);
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
  EXPECT_THAT(text, HasSubstr("\"proposalEss\":0.874"));
  EXPECT_THAT(text, Not(HasSubstr("fits/a")));
}

}  // namespace
}  // namespace aisivi::cli
