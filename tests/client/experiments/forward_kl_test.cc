#include "client/experiments/forward_kl.h"

#include <gtest/gtest.h>

#include <cmath>

namespace aisivi::experiments {
namespace {

TEST(ForwardKl, MeanErrorAndTrimmedMean) {
  Eigen::VectorXd log_p = Eigen::VectorXd::Zero(200), log_q = Eigen::VectorXd::Constant(200, -0.5);
  log_q[17] = -100;
  log_q[18] = -200;
  const KlEstimate kl = EstimateKl(log_p, log_q);
  EXPECT_NEAR(kl.value, (198 * 0.5 + 300) / 200, 1e-12);
  EXPECT_NEAR(kl.trimmed, 0.5, 1e-12);
  const double mean = kl.value;
  const double sum =
      198 * std::pow(0.5 - mean, 2) + std::pow(100 - mean, 2) + std::pow(200 - mean, 2);
  EXPECT_NEAR(kl.standard_error, std::sqrt(sum / 199 / 200), 1e-12);
}

TEST(ForwardKl, InnerSamplesAreEnoughAndNotTooMany) {
  v1::Fit fit;
  EXPECT_EQ(ForwardKlInnerSamples(fit, 10000), 2048);
  fit.mutable_evidence()->set_inner_samples(8192);
  EXPECT_EQ(ForwardKlInnerSamples(fit, 10000), 8192);
  fit.mutable_evidence()->set_inner_samples(1 << 20);
  EXPECT_EQ(ForwardKlInnerSamples(fit, 10000), 40000);
  EXPECT_EQ(ForwardKlInnerSamples(fit, 1000000), 2048);
  fit.mutable_effective_settings()->mutable_proposal()->set_couplings(4);
  EXPECT_EQ(ForwardKlInnerSamples(fit, 10000), 4000);
}

}  // namespace
}  // namespace aisivi::experiments
