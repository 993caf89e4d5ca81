#include "engine/fit/mixture_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using test::TwoComponents;

TEST(MixtureWeightsTest, MoveTowardsTheComponentsThatAreWorthMore) {
  ModelState model = TwoComponents();
  MixtureWeightsWork work;
  Eigen::VectorXd log_p(4), log_q = Eigen::VectorXd::Zero(4);
  log_p << 0.3, 0.5, -0.1, std::numeric_limits<double>::quiet_NaN();
  UpdateMixtureWeights(log_p, log_q, 1, &model, &work);
  // log π_c + 0.1 (e_c − Σ π e), normalised: the differences move by 0.1 (e_0 − e_1).
  const double odds = model.components[0].log_weight - model.components[1].log_weight;
  EXPECT_NEAR(odds, std::log(1.0 / 3) + 0.1 * 0.5, 1e-12);
  EXPECT_NEAR(std::exp(model.components[0].log_weight) + std::exp(model.components[1].log_weight),
              1, 1e-12);
  log_p.tail(2).setConstant(-std::numeric_limits<double>::infinity());
  UpdateMixtureWeights(log_p, log_q, 1, &model, &work);
  EXPECT_EQ(model.components[0].log_weight - model.components[1].log_weight, odds);
}

}  // namespace
}  // namespace aisivi
