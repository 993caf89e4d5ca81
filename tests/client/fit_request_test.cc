#include "client/cli/fit_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "client/names.h"

namespace aisivi::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string WriteFile(const std::string& name, const std::string& content) {
  const std::string path = testing::TempDir() + name;
  std::ofstream(path) << content;
  return path;
}

std::string FitError(const FitFlags& flags) {
  const absl::StatusOr<v1::Fit> fit = BuildFit(flags);
  EXPECT_TRUE(absl::IsInvalidArgument(fit.status()));
  return std::string(fit.status().message());
}

TEST(BuildFit, FromFlags) {
  FitFlags flags;
  flags.target.target = "logistic_regression";
  flags.target.params = {"prior_precision=0.01"};
  flags.target.data = WriteFile("fit_request.csv", "y,a,b\n1,2,3\n0,4,5\n");
  flags.method = "bsivi";
  flags.preset = "bsivi_logistic";
  flags.set = {"iterations=10", "latent=uniform"};
  flags.time_limit = "2.5";
  flags.restarts = "3";
  flags.seed = 5;
  const absl::StatusOr<v1::Fit> fit = BuildFit(flags);
  std::filesystem::remove(flags.target.data);
  ASSERT_TRUE(fit.ok()) << fit.status();
  const v1::LogisticRegressionTarget& target = fit->target().logistic_regression();
  EXPECT_EQ(target.prior_precision(), 0.01);
  EXPECT_THAT(target.y(), ElementsAre(1, 0));
  EXPECT_THAT(target.x().values(), ElementsAre(2, 3, 4, 5));
  EXPECT_TRUE(fit->method().has_bsivi());
  EXPECT_EQ(fit->preset(), "bsivi_logistic");
  EXPECT_EQ(fit->schedule().iterations(), 10);
  EXPECT_EQ(fit->family().latent(), v1::LATENT_UNIFORM);
  EXPECT_EQ(ToSeconds(fit->schedule().time_limit()), 2.5);
  EXPECT_EQ(fit->start().restarts(), 3);
  EXPECT_EQ(fit->seed(), 5u);
}

TEST(BuildFit, FromASpecWithFlagsOnTop) {
  FitFlags flags;
  flags.spec = WriteFile("fit_request.json",
                         R"({"target": {"conditionedDiffusion": {"steps": 50,
                             "observations": [0.1, 0.2]}}, "seed": "3", "method": {"bsivi": {"chunks": 2}}})");
  flags.target.params = {"noise=0.2"};
  flags.seed = 4;
  const absl::StatusOr<v1::Fit> fit = BuildFit(flags);
  std::filesystem::remove(flags.spec);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_EQ(fit->target().conditioned_diffusion().steps(), 50);
  EXPECT_EQ(fit->target().conditioned_diffusion().noise(), 0.2);
  EXPECT_THAT(fit->target().conditioned_diffusion().observations(), ElementsAre(0.1, 0.2));
  EXPECT_EQ(fit->seed(), 4u);
  EXPECT_TRUE(fit->method().has_bsivi());
}

TEST(BuildFit, ErrorsNameTheFlag) {
  FitFlags nothing;
  EXPECT_THAT(FitError(nothing), HasSubstr("--target"));
  FitFlags param;
  param.target.target = "banana";
  param.target.params = {"curvature"};
  EXPECT_THAT(FitError(param), HasSubstr("--param"));
  FitFlags set;
  set.target.target = "banana";
  set.set = {"iteration=1"};
  EXPECT_THAT(FitError(set), HasSubstr("fit.iteration"));
  FitFlags spec;
  spec.spec = "no/such/file.json";
  EXPECT_THAT(FitError(spec), HasSubstr("--spec: no/such/file.json"));
}

TEST(BuildFit, ASpecWithAnUnknownFieldIsRefused) {
  FitFlags flags;
  flags.spec = WriteFile("unknown.json", R"({"target": {"banana": {"bend": 1}}})");
  EXPECT_THAT(FitError(flags), testing::AllOf(HasSubstr("--spec"), HasSubstr("bend")));
  std::filesystem::remove(flags.spec);
}

TEST(BuildFit, StanProgramWithItsData) {
  FitFlags flags;
  flags.target.stan = WriteFile("fit_request.stan", "parameters { real x; }\n");
  flags.target.data = WriteFile("fit_request.json", "{\"N\": 1}");
  absl::StatusOr<v1::Fit> fit = BuildFit(flags);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_EQ(fit->target().stan().program(), "parameters { real x; }\n");
  EXPECT_EQ(fit->target().stan().data(), "{\"N\": 1}");
  // The name, as `aisivi targets stan` gives it, is the same target.
  flags.target.target = "stan";
  fit = BuildFit(flags);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_FALSE(fit->target().stan().program().empty());
  flags.target.target = "banana";
  EXPECT_THAT(FitError(flags), HasSubstr("--stan: is itself the target; leave out banana"));
  flags.target.target = "";
  std::filesystem::remove(flags.target.data);
  EXPECT_THAT(FitError(flags), HasSubstr("--data: "));
  flags.target.data = testing::TempDir();
  EXPECT_THAT(FitError(flags), HasSubstr("--data: "));
  std::filesystem::remove(flags.target.stan);
  EXPECT_THAT(FitError(flags), HasSubstr("--stan: "));
}

}  // namespace
}  // namespace aisivi::cli
