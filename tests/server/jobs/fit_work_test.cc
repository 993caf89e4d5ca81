// Sizes that are in range one by one and too much together.
#include "server/jobs/fit_work.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "server/jobs/fit_plan.h"
#include "tests/server/bad_request.h"

namespace aisivi::server {
namespace {

using test::Fields;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Status Check(const FitOptions& options, int dim) {
  EXPECT_TRUE(ValidateOptions(options, dim).ok()) << "each is in range by itself";
  return CheckFitWork(options, dim, "fit.target.t");
}

TEST(FitWorkTest, EveryPublishedSettingPasses) {
  for (const Preset& preset : Presets()) {
    EXPECT_TRUE(CheckFitWork(preset.options, 100, "fit.target.t").ok()) << preset.name;
  }
}

TEST(FitWorkTest, LargeFitsOfRealUsePass) {
  FitOptions options;
  for (const int dim : {1, 2, 100, 1000, kMaxFitDimension}) {
    EXPECT_TRUE(CheckFitWork(options, dim, "fit.target.t").ok()) << dim;
  }
  options.restarts = 16;
  options.iterations = 100'000;
  options.inner_samples = 1024;
  EXPECT_TRUE(CheckFitWork(options, 1000, "fit.target.t").ok());
  // As long as it takes, until it is told to stop.
  options = FitOptions();
  options.iterations = 10'000'000;
  EXPECT_TRUE(CheckFitWork(options, 1000, "fit.target.t").ok());
}

TEST(FitWorkTest, AStepIsBounded) {
  FitOptions options;
  options.points = 1 << 16;
  options.inner_samples = 1 << 20;
  options.chunks = 1 << 10;
  options.iterations = 1;
  const absl::Status status = Check(options, 2);
  EXPECT_THAT(Fields(status), ElementsAre("fit.schedule.points", "fit.method.aisivi.inner_samples",
                                          "fit.method.aisivi.chunks"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("points x inner_samples x chunks"));
}

TEST(FitWorkTest, AFitIsBounded) {
  FitOptions options;
  options.points = 4096;
  options.inner_samples = 4096;
  options.iterations = 10'000'000;
  EXPECT_THAT(
      Fields(Check(options, 2)),
      ElementsAre("fit.schedule.points", "fit.method.aisivi.inner_samples",
                  "fit.method.aisivi.chunks", "fit.schedule.iterations", "fit.start.restarts"));
  options.iterations = 1000;
  EXPECT_TRUE(Check(options, 2).ok());
}

TEST(FitWorkTest, TheEvidenceIsBounded) {
  FitOptions options;
  options.evidence_draws = 1 << 22;
  options.evidence_inner_samples = 1 << 22;
  EXPECT_THAT(Fields(Check(options, 2)),
              ElementsAre("fit.evidence_settings.evidence_draws",
                          "fit.evidence_settings.evidence_inner_samples"));
}

TEST(FitWorkTest, EveryProductThatIsTooLargeIsTold) {
  FitOptions options;
  options.points = 4096;
  options.inner_samples = 4096;
  options.iterations = 10'000'000;
  options.evidence_draws = 1 << 22;
  options.evidence_inner_samples = 1 << 22;
  EXPECT_THAT(Fields(Check(options, 2)),
              ElementsAre("fit.schedule.points", "fit.method.aisivi.inner_samples",
                          "fit.method.aisivi.chunks", "fit.schedule.iterations",
                          "fit.start.restarts", "fit.evidence_settings.evidence_draws",
                          "fit.evidence_settings.evidence_inner_samples"));
}

TEST(FitWorkTest, SamplingIsBounded) {
  FitOptions options;
  options.method = "reference";
  options.reference_evaluations = 1'000'000'000;
  EXPECT_TRUE(Check(options, 900).ok());
  EXPECT_THAT(Fields(Check(options, kMaxFitDimension)),
              ElementsAre("fit.method.reference.reference_evaluations"));
}

TEST(FitWorkTest, DimensionsAreBoundedByTheMatricesOfAFit) {
  v1::Fit request;
  request.mutable_target()->mutable_conditioned_diffusion()->set_steps(5000);
  const absl::Status status = PlanFit(request).status();
  EXPECT_THAT(Fields(status), ElementsAre("fit.target.conditioned_diffusion"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("5000 dimensions"));
  request.mutable_target()->mutable_conditioned_diffusion()->set_steps(4000);
  EXPECT_TRUE(PlanFit(request).ok());
}

}  // namespace
}  // namespace aisivi::server
