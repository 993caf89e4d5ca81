#include "client/cli/settings.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string MessageOf(const absl::Status& status) {
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(SetSetting, FindsTheGroup) {
  v1::Fit fit;
  ASSERT_TRUE(SetSetting("iterations", "5", &fit).ok());
  ASSERT_TRUE(SetSetting("couplings", "7", &fit).ok());
  ASSERT_TRUE(SetSetting("evidence_draws", "9", &fit).ok());
  EXPECT_EQ(fit.schedule().iterations(), 5);
  EXPECT_EQ(fit.proposal().couplings(), 7);
  EXPECT_EQ(fit.evidence_settings().evidence_draws(), 9);
  EXPECT_FALSE(fit.has_method()) << "whose default is the server's";
}

TEST(SetSetting, OptionsOfAMethodGoToTheMethodOfTheFit) {
  v1::Fit fit;
  ASSERT_TRUE(SetSetting("inner_samples", "5", &fit).ok());
  EXPECT_EQ(fit.method().aisivi().inner_samples(), 5) << "the default";
  v1::Fit chosen;
  ASSERT_TRUE(ChooseMethod("ksivi", &chosen).ok());
  ASSERT_TRUE(SetSetting("kernel", "imq", &chosen).ok());
  EXPECT_EQ(chosen.method().ksivi().kernel(), v1::KERNEL_IMQ);
  ASSERT_TRUE(ChooseMethod("ksivi", &chosen).ok());
  EXPECT_EQ(chosen.method().ksivi().kernel(), v1::KERNEL_IMQ) << "chosen again, nothing is lost";
}

TEST(SetSetting, OrToThatOfThePreset) {
  v1::Fit fit;
  fit.set_preset("kpg_is_logistic");
  ASSERT_TRUE(SetSetting("inner_samples", "5", &fit).ok());
  EXPECT_EQ(fit.method().kpg_is().inner_samples(), 5);
}

TEST(IsOptionOfAnotherMethod, KnowsWhoHasWhat) {
  v1::Fit fit;
  ASSERT_TRUE(ChooseMethod("gaussian", &fit).ok());
  EXPECT_TRUE(IsOptionOfAnotherMethod("inner_samples", fit));
  EXPECT_TRUE(IsOptionOfAnotherMethod("kernel", fit));
  EXPECT_FALSE(IsOptionOfAnotherMethod("iterations", fit)) << "all have it";
  EXPECT_FALSE(IsOptionOfAnotherMethod("nosuch", fit)) << "nobody has it";
  ASSERT_TRUE(ChooseMethod("kpg_is", &fit).ok());
  EXPECT_FALSE(IsOptionOfAnotherMethod("inner_samples", fit));
}

TEST(SetSetting, ErrorsNameTheFieldAndWhatThereIs) {
  v1::Fit fit;
  ASSERT_TRUE(ChooseMethod("uivi", &fit).ok());
  EXPECT_THAT(MessageOf(SetSetting("kernel", "imq", &fit)),
              AllOf(StartsWith("fit.kernel: "), HasSubstr("uivi"), HasSubstr("chain_samples"),
                    HasSubstr("iterations")));
  EXPECT_THAT(MessageOf(SetSetting("points", "many", &fit)), StartsWith("fit.schedule.points: "));
  EXPECT_THAT(MessageOf(SetSetting("chain_samples", "x", &fit)),
              StartsWith("fit.method.uivi.chain_samples: "));
  EXPECT_THAT(MessageOf(ChooseMethod("magic", &fit)),
              AllOf(StartsWith("fit.method: "), HasSubstr("bsivi")));
}

}  // namespace
}  // namespace aisivi::cli
