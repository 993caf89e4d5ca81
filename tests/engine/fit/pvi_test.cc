// The method "pvi": a mixture of as many Gaussians as there are particles, known exactly.
#include <gtest/gtest.h>

#include "engine/methods/methods.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

FitOptions Options(int64_t iterations) {
  FitOptions options = test::Short(iterations);
  options.method = "pvi";
  options.warm_start = "gaussian";
  options.particles = 30;
  return options;
}

TEST(PviTest, ThePositionsOfTheParticlesAreLearned) {
  const auto target = test::Make("x_shaped");
  ThreadPool pool(2);
  const auto start = RunFit(*target, Options(0), pool);
  const auto result = RunFit(*target, Options(600), pool);
  ASSERT_TRUE(start.ok() && result.ok());
  EXPECT_GT(result->evidence.elbo_lower, start->evidence.elbo_lower + 0.05);
  const Family& before = start->model->state().components.front().family;
  const Family& after = result->model->state().components.front().family;
  ASSERT_EQ(after.particles(), 30);
  EXPECT_GT((after.parameters().tail(60) - before.parameters().tail(60)).norm(), 0.1f);
}

TEST(PviTest, TheBoundsOfTheElboAreOne) {
  const auto target = test::Make("banana");
  ThreadPool pool(2);
  const auto result = RunFit(*target, Options(100), pool);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->evidence.elbo_lower, result->evidence.elbo_upper);
  EXPECT_FALSE(result->model->state().components.front().has_proposal);
}

TEST(PviTest, ParticlesThatDoNotFitAreRefused) {
  FitOptions options = Options(10);
  options.particles = 1 << 14;
  EXPECT_TRUE(ValidateOptions(options, 100).ok());
  const absl::Status status = ValidateOptions(options, 9000);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(status.message().substr(0, 10), "particles:") << status;
}

}  // namespace
}  // namespace aisivi
