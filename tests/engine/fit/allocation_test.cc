// A training step asks nothing of the allocator once its buffers have their sizes.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/fit/start.h"
#include "engine/fit/trainer.h"
#include "engine/methods/methods.h"
#include "tests/engine/allocations.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

// N(0, I), evaluated without temporaries: what is counted is the engine's own.
class QuietTarget : public Target {
 public:
  explicit QuietTarget(int dim) : dim_(dim) {}
  int dim() const override { return dim_; }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    log_density->resize(z.cols());
    for (int64_t j = 0; j < z.cols(); ++j) (*log_density)[j] = -0.5 * z.col(j).squaredNorm();
    if (score != nullptr) *score = -z;
    return absl::OkStatus();
  }

 private:
  int dim_;
};

struct Case {
  std::string name;
  FitOptions options;
  int components = 1;
};

std::vector<Case> Cases() {
  FitOptions defaults = test::Short();
  defaults.warm_start = "none";
  FitOptions vector = defaults;
  vector.sigma = "vector";
  vector.flow_steps = 1;
  FitOptions bsivi = defaults;
  bsivi.method = "bsivi";
  bsivi.flow_steps = 0;
  FitOptions published = *FindPreset("aisivi_x_shaped");
  FitOptions published_bsivi = *FindPreset("bsivi_x_shaped");
  FitOptions spline = defaults;
  spline.coupling = "spline";
  return {{"defaults", defaults},
          {"spline", spline},
          {"sigma_vector", vector},
          {"bsivi", bsivi},
          {"two_components", defaults, 2},
          {"published", published},
          {"published_bsivi", published_bsivi},
          {"bsivi_components", bsivi, 2}};
}

class AllocationTest : public testing::TestWithParam<Case> {};

TEST_P(AllocationTest, AStepAllocatesNothingOnceWarm) {
  if (!test::CountsAllocations()) GTEST_SKIP() << "a sanitizer owns the allocator";
  const FitOptions& options = GetParam().options;
  const QuietTarget target(3);
  ThreadPool pool(1);  // with more, chance decides when a worker first fills its scratch
  std::vector<std::string> log;
  ModelState state = StartModels(target, options, pool, nullptr, &log)->starts.front().state;
  while (static_cast<int>(state.components.size()) < GetParam().components) {
    state.components.push_back(state.components.front());
    state.components.back().affine.shift.setConstant(0.5);
  }
  for (Component& c : state.components) {
    c.log_weight = -std::log(static_cast<double>(state.components.size()));
  }
  Trainer trainer(target, options, **FindMethod(options.method), pool, &state);
  StepReport report;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(*trainer.Step(1e-3, &report));
  const int64_t before = test::AllocationCalls();
  ASSERT_GT(before, 100) << "the allocator is not being watched";
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(*trainer.Step(1e-3, &report));
  EXPECT_EQ(test::AllocationCalls() - before, 0);
}

INSTANTIATE_TEST_SUITE_P(Settings, AllocationTest, testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace aisivi
