#include "engine/family/sigma.h"

#include <gtest/gtest.h>

#include <cmath>

namespace aisivi {
namespace {

TEST(SigmaTest, TheSlopeIsTheDifferenceQuotient) {
  for (const bool bounded : {true, false}) {
    for (const float rho : {-3.0f, -0.5f, 0.0f, 1.0f, 4.0f}) {
      constexpr float kStep = 1e-2f;
      const SigmaAndSlope sigma = SigmaOf(bounded, 0.5f, rho);
      const float quotient =
          (SigmaOf(bounded, 0.5f, rho + kStep).value - SigmaOf(bounded, 0.5f, rho - kStep).value) /
          (2 * kStep);
      EXPECT_NEAR(sigma.slope, quotient, 2e-3f * std::abs(quotient) + 1e-5f)
          << bounded << " " << rho;
      EXPECT_GT(sigma.value, 0);
    }
  }
}

TEST(SigmaTest, ABoundedOneStaysInItsRange) {
  EXPECT_EQ(SigmaOf(true, 0.5f, 0).value, 0.5f);
  for (const float rho : {-1e6f, 1e6f}) {
    EXPECT_NEAR(std::abs(std::log(SigmaOf(true, 0.5f, rho).value / 0.5f)), 4.5f, 1e-5f);
    EXPECT_EQ(SigmaOf(true, 0.5f, rho).slope, 0);
  }
}

TEST(SigmaTest, AnUnboundedOneKeepsAboveItsFloor) {
  EXPECT_FLOAT_EQ(SigmaOf(false, 2, 0).value, 2 * std::log(2.0f) + 1e-10f);
  EXPECT_EQ(SigmaOf(false, 2, -200).value, 1e-10f);
  EXPECT_FLOAT_EQ(SigmaOf(false, 2, 100).value, 200);
}

TEST(SigmaTest, RowsAgreeWithSingleOnes) {
  const Eigen::RowVectorXf rho = Eigen::RowVectorXf::LinSpaced(37, -6, 6);
  const Eigen::Array<float, 1, Eigen::Dynamic> t = BoundedSigmaTanh(rho);
  const Eigen::Array<float, 1, Eigen::Dynamic> relative = RelativeSigma(t);
  const Eigen::Array<float, 1, Eigen::Dynamic> slope = LogSigmaSlope(t);
  for (Eigen::Index i = 0; i < rho.size(); ++i) {
    const SigmaAndSlope sigma = SigmaOf(true, 0.5f, rho[i]);
    EXPECT_NEAR(0.5f * relative[i], sigma.value, 1e-5f * sigma.value) << rho[i];
    EXPECT_NEAR(0.5f * relative[i] * slope[i], sigma.slope, 1e-5f * sigma.value) << rho[i];
  }
}

}  // namespace
}  // namespace aisivi
