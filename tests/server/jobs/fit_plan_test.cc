#include "server/jobs/fit_plan.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using ::testing::StartsWith;

v1::Fit Request(const std::string& text) {
  v1::Fit fit;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &fit)) << text;
  return fit;
}

TEST(FitPlanTest, FillsInDefaults) {
  const absl::StatusOr<FitPlan> plan = PlanFit(Request("target { banana {} }"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->fit.method(), "aisivi");
  EXPECT_EQ(plan->fit.seed(), 1u);
  EXPECT_EQ(plan->fit.dimension(), 2);
  EXPECT_EQ(plan->fit.coordinate_names_size(), 2);
  EXPECT_FALSE(plan->fit.has_known_log_z()) << "what takes computing is not for a plan";
  EXPECT_EQ(plan->fit.effective_hyperparameters().points(), FitOptions().points);
  EXPECT_EQ(plan->target->dim(), 2);
}

TEST(FitPlanTest, RequestBeatsPresetBeatsDefault) {
  const absl::StatusOr<FitPlan> plan = PlanFit(Request(
      "target { banana {} } preset: 'aisivi_banana' hyperparameters { points: 7 } seed: 0"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->options.points, 7);
  EXPECT_EQ(plan->options.iterations, FindPreset("aisivi_banana")->iterations);
  EXPECT_NE(plan->options.iterations, FitOptions().iterations);
  EXPECT_EQ(plan->options.seed, 0u);
  const absl::StatusOr<FitPlan> bsivi =
      PlanFit(Request("target { banana {} } preset: 'bsivi_banana'"));
  ASSERT_TRUE(bsivi.ok()) << bsivi.status();
  EXPECT_EQ(bsivi->fit.method(), "bsivi");
}

TEST(FitPlanTest, TheMethodGaussianIsTheStartAloneWhateverIsSet) {
  for (const char* more : {"", "preset: 'bsivi_banana'", "hyperparameters { iterations: 7 }"}) {
    const absl::StatusOr<FitPlan> plan =
        PlanFit(Request(std::string("target { banana {} } method: 'gaussian' ") + more));
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(plan->fit.method(), "gaussian");
    const v1::Hyperparameters& used = plan->fit.effective_hyperparameters();
    EXPECT_EQ(used.iterations(), 0) << more;
    EXPECT_EQ(used.warm_start(), "gaussian") << more;
    EXPECT_EQ(PlannedOptions(plan->fit)->iterations, 0) << more;
  }
}

TEST(FitPlanTest, OutputOnlyFieldsOfTheRequestAreIgnored) {
  const absl::StatusOr<FitPlan> plan = PlanFit(Request(
      "target { banana {} } name: 'fits/x' state: FAILED dimension: 9 has_posterior: true"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->fit.name().empty());
  EXPECT_EQ(plan->fit.state(), v1::Fit::STATE_UNSPECIFIED);
  EXPECT_EQ(plan->fit.dimension(), 2);
  EXPECT_FALSE(plan->fit.has_posterior());
}

TEST(FitPlanTest, StoredFitHasTheOptionsItWasPlannedWith) {
  const absl::StatusOr<FitPlan> plan = PlanFit(
      Request("target { banana {} } preset: 'bsivi_banana' hyperparameters { points: 9 } seed: 5"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  const absl::StatusOr<FitOptions> stored = PlannedOptions(plan->fit);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->method, "bsivi");
  EXPECT_EQ(stored->seed, 5u);
  EXPECT_EQ(stored->points, 9);
  EXPECT_EQ(stored->iterations, plan->options.iterations);
}

TEST(FitPlanTest, BadInputNamesItsField) {
  const struct {
    const char* request;
    const char* message;
  } cases[] = {
      {"", "fit.target: "},
      {"target { banana {} } method: 'magic'", "fit.method: "},
      {"target { banana {} } preset: 'magic'", "fit.preset: "},
      {"target { banana {} } hyperparameters { inner_samples: 0 }",
       "fit.hyperparameters.inner_samples: "},
      {"target { banana {} } hyperparameters { iterations: 10000000000 }",
       "fit.hyperparameters.iterations: "},
      {"target { banana {} } hyperparameters { learning_rate: nan }",
       "fit.hyperparameters.learning_rate: "},
      {"target { banana {} } hyperparameters { restarts: 17 }", "fit.hyperparameters.restarts: "},
      {"target { banana {} } hyperparameters { latent_dim: 3 }",
       "fit.hyperparameters.latent_dim: "},
      {"target { banana {} } labels { key: 'Bad Key' value: '' }", "fit.labels: "},
      {"target { funnel { dimension: 2000000000 } }", "fit.target.funnel.dimension: "},
      {"target { logistic_regression { x { rows: 2 columns: 1 values: [1, 2] } y: 1 } }",
       "fit.target.logistic_regression.y: "},
      {"target { gaussian { mean: [0, 0] covariance { rows: 2 columns: 2 values: [1, 2, 2, 1] } } "
       "}",
       "fit.target.gaussian.covariance: "},
      {"target { conditioned_diffusion { noise: -1 } }",
       "fit.target.conditioned_diffusion.noise: "},
  };
  for (const auto& c : cases) {
    const absl::Status status = PlanFit(Request(c.request)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.request;
    EXPECT_THAT(std::string(status.message()), StartsWith(c.message)) << c.request;
  }
  v1::Fit wordy = Request("target { banana {} }");
  wordy.set_display_name(std::string(257, 'x'));
  EXPECT_THAT(std::string(PlanFit(wordy).status().message()), StartsWith("fit.display_name: "));
}

TEST(FitPlanTest, FingerprintTellsRequestsApart) {
  const v1::Fit a = Request("target { banana {} } labels { key: 'a' value: '1' }");
  EXPECT_EQ(RequestFingerprint(a), RequestFingerprint(a));
  v1::Fit with_output = a;
  with_output.set_state(v1::Fit::FAILED);
  EXPECT_EQ(RequestFingerprint(a), RequestFingerprint(with_output));
  v1::Fit other = a;
  other.set_seed(2);
  EXPECT_NE(RequestFingerprint(a), RequestFingerprint(other));
}

}  // namespace
}  // namespace aisivi::server
