#include "client/cli/parameter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aisivi::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(SplitAssignment, CutsAtTheFirstEqualsSign) {
  const auto pair = SplitAssignment("--param", "a=b=c");
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ(pair->first, "a");
  EXPECT_EQ(pair->second, "b=c");
  EXPECT_THAT(Message(SplitAssignment("--param", "a").status()), HasSubstr("--param"));
  EXPECT_THAT(Message(SplitAssignment("--param", "=1").status()), HasSubstr("--param"));
}

TEST(SetField, NumbersVectorsAndMatrices) {
  v1::ConditionedDiffusionTarget diffusion;
  ASSERT_TRUE(SetField("t", "steps", "50", &diffusion).ok());
  ASSERT_TRUE(SetField("t", "noise", "1e-1", &diffusion).ok());
  ASSERT_TRUE(SetField("t", "observations", "0.1, -2,3e0", &diffusion).ok());
  ASSERT_TRUE(SetField("t", "observation_steps", "10,20,1e2", &diffusion).ok());
  EXPECT_EQ(diffusion.steps(), 50);
  EXPECT_EQ(diffusion.noise(), 0.1);
  EXPECT_THAT(diffusion.observations(), ElementsAre(0.1, -2, 3));
  EXPECT_THAT(diffusion.observation_steps(), ElementsAre(10, 20, 100));

  v1::GaussianMixtureTarget mixture;
  ASSERT_TRUE(SetField("t", "means", "1,2;3,4;5,6", &mixture).ok());
  ASSERT_TRUE(SetField("t", "covariances", "1,0;0,1|2,0;0,3", &mixture).ok());
  EXPECT_EQ(mixture.means().rows(), 3);
  EXPECT_EQ(mixture.means().columns(), 2);
  EXPECT_THAT(mixture.means().values(), ElementsAre(1, 2, 3, 4, 5, 6));
  ASSERT_EQ(mixture.covariances_size(), 2);
  EXPECT_THAT(mixture.covariances(1).values(), ElementsAre(2, 0, 0, 3));
}

TEST(SetField, SettingsOfEveryKind) {
  v1::Schedule schedule;
  v1::Family family;
  ASSERT_TRUE(SetField("s", "iterations", "1e10", &schedule).ok());
  ASSERT_TRUE(SetField("s", "time_limit", "2.25", &schedule).ok());
  ASSERT_TRUE(SetField("f", "linear_skip", "false", &family).ok());
  ASSERT_TRUE(SetField("f", "latent", "uniform", &family).ok());
  EXPECT_EQ(schedule.iterations(), 10000000000);
  EXPECT_EQ(schedule.time_limit().seconds(), 2);
  EXPECT_EQ(schedule.time_limit().nanos(), 250'000'000);
  EXPECT_TRUE(family.has_linear_skip());
  EXPECT_FALSE(family.linear_skip());
  EXPECT_EQ(family.latent(), v1::LATENT_UNIFORM);
}

TEST(SetField, ARepeatedFieldIsReplacedNotExtended) {
  v1::GaussianTarget gaussian;
  ASSERT_TRUE(SetField("t", "mean", "1,2", &gaussian).ok());
  ASSERT_TRUE(SetField("t", "mean", "3", &gaussian).ok());
  EXPECT_THAT(gaussian.mean(), ElementsAre(3));
}

TEST(SetField, ErrorsNameTheField) {
  v1::ConditionedDiffusionTarget diffusion;
  v1::GaussianTarget gaussian;
  v1::Schedule schedule;
  v1::Family family;
  const auto wrong = [](const char* name, const char* text, google::protobuf::Message* message) {
    const absl::Status status = SetField("path", name, text, message);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name << "=" << text;
    EXPECT_THAT(Message(status), testing::StartsWith(std::string("path.") + name + ": "));
    return Message(status);
  };
  EXPECT_THAT(wrong("stepps", "1", &diffusion), HasSubstr("steps"));
  wrong("steps", "1.5", &diffusion);
  wrong("steps", "3000000000", &diffusion);
  wrong("steps", "ten", &diffusion);
  wrong("noise", "", &diffusion);
  wrong("noise", "0,1", &diffusion);
  wrong("observations", "1,,2", &diffusion);
  EXPECT_THAT(wrong("covariance", "1,0;0", &gaussian), HasSubstr("row 2"));
  wrong("iterations", "1e30", &schedule);
  wrong("time_limit", "nan", &schedule);
  wrong("time_limit", "1e300", &schedule);
  EXPECT_THAT(wrong("latent", "cauchy", &family), HasSubstr("gaussian, uniform"));
  wrong("latent", "unspecified", &family);
  wrong("linear_skip", "perhaps", &family);
}

TEST(ChooseTarget, KnowsTheTargetsOfTheApi) {
  v1::Fit fit;
  ASSERT_TRUE(ChooseTarget("eight_schools", &fit).ok());
  EXPECT_TRUE(fit.target().has_eight_schools());
  std::string path;
  ASSERT_NE(ChosenTarget(&fit, &path), nullptr);
  EXPECT_EQ(path, "fit.target.eight_schools");
  const absl::Status status = ChooseTarget("nosuch", &fit);
  EXPECT_THAT(Message(status), testing::AllOf(HasSubstr("fit.target"), HasSubstr("banana")));
}

TEST(ChooseTarget, KeepsParametersAlreadyGiven) {
  v1::Fit fit;
  fit.mutable_target()->mutable_funnel()->set_dimension(5);
  ASSERT_TRUE(ChooseTarget("funnel", &fit).ok());
  EXPECT_EQ(fit.target().funnel().dimension(), 5);
}

TEST(ChosenTarget, IsNullWhenThereIsNone) {
  v1::Fit fit;
  std::string path;
  EXPECT_EQ(ChosenTarget(&fit, &path), nullptr);
  fit.mutable_target();
  EXPECT_EQ(ChosenTarget(&fit, &path), nullptr);
}

}  // namespace
}  // namespace aisivi::cli
