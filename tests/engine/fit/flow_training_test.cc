#include "engine/fit/flow_training.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

// A family whose points run away takes its proposal along: the gradient is finite, its square is
// not in single precision. Such a step is left out like one that is not a number, or Adam would
// write one into the parameters.
TEST(FlowTrainingTest, AGradientTooLargeToSquareChangesNothing) {
  const auto target = test::Make("banana");
  ThreadPool pool(2);
  FitOptions options = test::Short();
  options.warm_start = "none";
  std::vector<std::string> log;
  ModelState model = StartModels(*target, options, pool, nullptr, &log)->starts.front().state;
  Workspace workspace(pool);
  const FlowTraining training{options, 64, pool, workspace};
  FlowTrainingBuffers buffers;
  FlowTrainingState state = BeginFlowTraining(training, &model, &buffers);
  ComponentSample sample;
  SampleComponent(model.components[0], 1, RngPurpose::kFlowLatent, RngPurpose::kFlowNoise, 0, 0, 64,
                  workspace.caller(), &sample);
  Eigen::VectorXf& parameters = model.components[0].proposal.parameters();
  const Eigen::VectorXf before = parameters;
  ComponentSample far = sample;
  far.x *= 1e8f;
  EXPECT_FALSE(TrainFlow(training, 0, far, 0.001, &model, &state, &buffers));
  EXPECT_TRUE(buffers.gradients[0].allFinite()) << "tests what it says";
  EXPECT_EQ(parameters, before);
  EXPECT_EQ(state.adam[0].steps(), 0);
  EXPECT_EQ(state.loss, 0);
  EXPECT_TRUE(TrainFlow(training, 0, sample, 0.001, &model, &state, &buffers));
  EXPECT_NE(parameters, before);
}

}  // namespace
}  // namespace aisivi
