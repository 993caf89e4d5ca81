#include "server/jobs/fit_plan.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "server/convert/settings.h"
#include "tests/server/bad_request.h"

namespace aisivi::server {
namespace {

using test::Fields;
using ::testing::StartsWith;

v1::Fit Request(const std::string& text) {
  v1::Fit fit;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &fit)) << text;
  return fit;
}

TEST(FitPlanTest, FillsInDefaults) {
  const absl::StatusOr<FitPlan> plan = PlanFit(Request("target { banana {} }"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(MethodName(plan->fit.effective_settings().method()), "aisivi");
  EXPECT_EQ(plan->fit.seed(), 1u);
  EXPECT_EQ(plan->fit.dimension(), 2);
  EXPECT_EQ(plan->fit.coordinate_names_size(), 2);
  ASSERT_EQ(plan->fit.variables_size(), 1);
  EXPECT_EQ(plan->fit.variables(0).name(), "z");
  EXPECT_EQ(plan->fit.variables(0).shape(0), 2);
  EXPECT_FALSE(plan->fit.has_known_log_z()) << "what takes computing is not for a plan";
  EXPECT_EQ(plan->fit.effective_settings().schedule().points(), FitOptions().points);
  EXPECT_EQ(plan->target->dim(), 2);
}

TEST(FitPlanTest, VariablesAreTheTargetsAndNoInput) {
  const absl::StatusOr<FitPlan> plan =
      PlanFit(Request("target { eight_schools {} } variables { name: 'mine' }"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->fit.dimension(), 10);
  ASSERT_EQ(plan->fit.variables_size(), 4);
  EXPECT_EQ(plan->fit.variables(1).name(), "tau");
  EXPECT_EQ(plan->fit.variables(1).shape_size(), 0);
  EXPECT_FALSE(plan->fit.variables(2).derived());
  EXPECT_EQ(plan->fit.variables(3).name(), "theta");
  EXPECT_TRUE(plan->fit.variables(3).derived());
}

TEST(FitPlanTest, RequestBeatsPresetBeatsDefault) {
  const absl::StatusOr<FitPlan> plan = PlanFit(
      Request("target { banana {} } preset: 'aisivi_banana' schedule { points: 7 } seed: 0"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->options.points, 7);
  EXPECT_EQ(plan->options.iterations, FindPreset("aisivi_banana")->iterations);
  EXPECT_NE(plan->options.iterations, FitOptions().iterations);
  EXPECT_EQ(plan->options.seed, 0u);
  const absl::StatusOr<FitPlan> bsivi =
      PlanFit(Request("target { banana {} } preset: 'bsivi_banana'"));
  ASSERT_TRUE(bsivi.ok()) << bsivi.status();
  EXPECT_EQ(MethodName(bsivi->fit.effective_settings().method()), "bsivi");
}

TEST(FitPlanTest, TheMethodGaussianIsTheStartAloneWhateverIsSet) {
  for (const char* more : {"", "preset: 'bsivi_banana'", "schedule { iterations: 7 }"}) {
    const absl::StatusOr<FitPlan> plan =
        PlanFit(Request(std::string("target { banana {} } method { gaussian {} } ") + more));
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(MethodName(plan->fit.effective_settings().method()), "gaussian");
    const v1::FitSettings& used = plan->fit.effective_settings();
    EXPECT_EQ(used.schedule().iterations(), 0) << more;
    EXPECT_EQ(used.start().warm_start(), v1::WARM_START_GAUSSIAN) << more;
    EXPECT_EQ(PlannedOptions(plan->fit)->iterations, 0) << more;
  }
}

TEST(FitPlanTest, OutputOnlyFieldsOfTheRequestAreIgnored) {
  const absl::StatusOr<FitPlan> plan = PlanFit(Request(
      "target { banana {} } name: 'fits/x' state: STATE_FAILED dimension: 9 has_posterior: true"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->fit.name().empty());
  EXPECT_EQ(plan->fit.state(), v1::Fit::STATE_UNSPECIFIED);
  EXPECT_EQ(plan->fit.dimension(), 2);
  EXPECT_FALSE(plan->fit.has_posterior());
}

TEST(FitPlanTest, StoredFitHasTheOptionsItWasPlannedWith) {
  const absl::StatusOr<FitPlan> plan = PlanFit(
      Request("target { banana {} } preset: 'bsivi_banana' schedule { points: 9 } seed: 5"));
  ASSERT_TRUE(plan.ok()) << plan.status();
  const absl::StatusOr<FitOptions> stored = PlannedOptions(plan->fit);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->method, "bsivi");
  EXPECT_EQ(stored->seed, 5u);
  EXPECT_EQ(stored->points, 9);
  EXPECT_EQ(stored->iterations, plan->options.iterations);
}

TEST(FitPlanTest, AFitOfAnEarlierVersionIsNotRunByDefaults) {
  const absl::Status status = PlannedOptions(Request("target { banana {} }")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

TEST(FitPlanTest, AllFieldsThatAreWrongAreNamedAtOnce) {
  const absl::Status status =
      PlanFit(
          Request("target { funnel { dimension: -1 } } preset: 'magic' method { ksivi { kernel: "
                  "KERNEL_IMQ } } schedule { points: 0 time_limit { seconds: -1 } } family { "
                  "latent_dim: -3 } labels { key: 'Bad' value: '' } display_name: 'a\\001'"))
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(bad_request.ParseFromString(
      std::string(*status.GetPayload("type.googleapis.com/google.rpc.BadRequest"))));
  std::vector<std::string> fields;
  for (const auto& violation : bad_request.field_violations()) fields.push_back(violation.field());
  EXPECT_THAT(fields, ::testing::UnorderedElementsAre(
                          "fit.display_name", "fit.labels", "fit.preset", "fit.schedule.points",
                          "fit.schedule.time_limit", "fit.family.latent_dim",
                          "fit.target.funnel.dimension"));
}

TEST(FitPlanTest, AllThatDoNotGoTogetherAreNamedAtOnce) {
  using ::testing::ElementsAre;
  EXPECT_THAT(Fields(PlanFit(Request("target { banana {} } family { latent: LATENT_UNIFORM "
                                     "latent_dim: 3 sigma_scale: 1 }"))
                         .status()),
              ElementsAre("fit.family.linear_skip", "fit.family.latent_dim",
                          "fit.family.sigma_scale", "fit.proposal.proposal_base"));
  // Beside the dimension; the work of such a fit is not told.
  EXPECT_THAT(Fields(PlanFit(Request("target { funnel { dimension: 5000 } } family { latent_dim: 3 "
                                     "} schedule { iterations: 10000000 points: 4096 }"))
                         .status()),
              ElementsAre("fit.family.latent_dim", "fit.target.funnel"));
}

TEST(FitPlanTest, AnEnumValueThatIsNotKnownIsRefused) {
  v1::Fit fit = Request("target { banana {} }");
  fit.mutable_start()->set_warm_start(static_cast<v1::WarmStart>(99));
  EXPECT_THAT(std::string(PlanFit(fit).status().message()), StartsWith("fit.start.warm_start: "));
}

TEST(FitPlanTest, AMethodThatIsNotKnownIsRefused) {
  v1::Fit fit = Request("target { banana {} } method {}");
  EXPECT_THAT(std::string(PlanFit(fit).status().message()), StartsWith("fit.method: "));
  v1::MethodSpec* method = fit.mutable_method();
  method->GetReflection()->MutableUnknownFields(method)->AddLengthDelimited(999, "");
  EXPECT_THAT(std::string(PlanFit(fit).status().message()), StartsWith("fit.method: "));
  // As a server of a later version has stored it.
  *fit.mutable_effective_settings()->mutable_method() = fit.method();
  EXPECT_TRUE(absl::IsInvalidArgument(PlannedOptions(fit).status())) << "not run by the default";
}

TEST(FitPlanTest, BadInputNamesItsField) {
  const struct {
    const char* request;
    const char* message;
  } cases[] = {
      {"", "fit.target: "},
      {"target { banana {} } preset: 'magic'", "fit.preset: "},
      {"target { banana {} } method { aisivi { inner_samples: 0 } }",
       "fit.method.aisivi.inner_samples: "},
      {"target { banana {} } schedule { iterations: 10000000000 }", "fit.schedule.iterations: "},
      {"target { banana {} } schedule { learning_rate: nan }", "fit.schedule.learning_rate: "},
      {"target { banana {} } start { restarts: 17 }", "fit.start.restarts: "},
      {"target { banana {} } family { latent_dim: 3 }", "fit.family.latent_dim: "},
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
  with_output.set_state(v1::Fit::STATE_FAILED);
  EXPECT_EQ(RequestFingerprint(a), RequestFingerprint(with_output));
  v1::Fit other = a;
  other.set_seed(2);
  EXPECT_NE(RequestFingerprint(a), RequestFingerprint(other));
}

}  // namespace
}  // namespace aisivi::server
