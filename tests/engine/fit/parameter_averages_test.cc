#include "engine/fit/parameter_averages.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using test::TwoComponents;

TEST(ParameterAveragesTest, AreMeansAtFirstAndForgetThen) {
  ModelState model = TwoComponents();
  ParameterAverages averages = BeginAverages(model);
  const Eigen::VectorXf before = model.components[1].family.parameters();
  EXPECT_EQ(Averaged(model, averages).components[1].family.parameters(), before);
  double expected = 0;
  for (int n = 1; n <= 8; ++n) {
    model.components[1].family.parameters().setConstant(static_cast<float>(n));
    model.components[1].proposal.parameters().setConstant(static_cast<float>(2 * n));
    UpdateAverages(model, 4, &averages);
    expected += (n - expected) / std::min(n, 4);
    const ModelState averaged = Averaged(model, averages);
    EXPECT_NEAR(averaged.components[1].family.parameters()[3], expected, 1e-5) << n;
    EXPECT_NEAR(averaged.components[1].proposal.parameters()[3], 2 * expected, 1e-5) << n;
    EXPECT_EQ(model.components[1].family.parameters()[3], static_cast<float>(n));
  }
}

}  // namespace
}  // namespace aisivi
