#include "engine/nn/adam.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/engine/nn/testing.h"

namespace aisivi {
namespace {

using test::Normals;
using test::Random;

// The textbook update of one scalar.
class ScalarAdam {
 public:
  ScalarAdam(double beta1, double beta2) : beta1_(beta1), beta2_(beta2) {}
  void Step(double rate, double gradient, double* p) {
    ++t_;
    m_ = beta1_ * m_ + (1 - beta1_) * gradient;
    v_ = beta2_ * v_ + (1 - beta2_) * gradient * gradient;
    const double m_hat = m_ / (1 - std::pow(beta1_, t_));
    const double v_hat = v_ / (1 - std::pow(beta2_, t_));
    *p -= rate * m_hat / (std::sqrt(v_hat) + 1e-8);
  }

 private:
  double beta1_, beta2_, m_ = 0, v_ = 0;
  int t_ = 0;
};

// Runs the same random gradients through both; the parameters at the end.
Eigen::VectorXf CompareWithScalar(int64_t n, double beta1, double beta2, int steps, int threads) {
  Random random(17);
  ThreadPool pool(threads);
  Eigen::VectorXf parameters = Normals(n, 1, 1, random).cast<float>();
  Eigen::VectorXd reference = parameters.cast<double>();
  const Eigen::VectorXd before = reference;
  std::vector<ScalarAdam> scalars(n, ScalarAdam(beta1, beta2));
  Adam adam(n, beta1, beta2);
  for (int step = 0; step < steps; ++step) {
    const double rate = 0.01 / (1 + step);
    const Eigen::VectorXf gradient = Normals(n, 1, step % 2 == 0 ? 3 : 1e-3, random).cast<float>();
    adam.Step(rate, gradient, &parameters, pool);
    for (int64_t i = 0; i < n; ++i) scalars[i].Step(rate, gradient[i], &reference[i]);
  }
  EXPECT_EQ(adam.steps(), steps);
  EXPECT_EQ(adam.first_moment().size(), n);
  EXPECT_EQ(adam.second_moment().size(), n);
  EXPECT_LT((parameters.cast<double>() - reference).cwiseAbs().maxCoeff(), 3e-6);
  EXPECT_GT((parameters.cast<double>() - before).cwiseAbs().minCoeff(), 0);
  return parameters;
}

TEST(AdamTest, FollowsTheScalarReference) {
  for (const int64_t n : {1, 17, 1000}) {
    CompareWithScalar(n, 0.9, 0.999, 30, 1);
    CompareWithScalar(n, 0.9, 0.99, 30, 1);
    CompareWithScalar(n, 0.0, 0.0, 5, 1);
  }
}

// Long enough to be shared by the workers; the odd end is somebody's too.
TEST(AdamTest, FollowsItWhenSharedByWorkersAlike) {
  constexpr int64_t kLong = 3 * (int64_t{1} << 17) + 13;
  const Eigen::VectorXf one = CompareWithScalar(kLong, 0.9, 0.999, 4, 1);
  for (const int threads : {2, 3}) {
    EXPECT_EQ(CompareWithScalar(kLong, 0.9, 0.999, 4, threads), one) << threads;
  }
}

// A gradient whose square is beyond single precision is finite by itself, and would make v
// infinite.
TEST(AdamTest, AStepThatWouldNotBeFiniteIsTold) {
  ThreadPool pool(1);
  Eigen::VectorXf gradient = Eigen::VectorXf::Ones(33);
  for (const float fine : {0.0f, -1e15f, 1e18f}) {
    gradient[32] = fine;
    ASSERT_TRUE(Adam::CanStep(gradient)) << fine;
    Adam adam(33, 0.9, 0.999);
    Eigen::VectorXf parameters = Eigen::VectorXf::Ones(33);
    for (int i = 0; i < 3; ++i) adam.Step(0.001, gradient, &parameters, pool);
    EXPECT_TRUE(parameters.allFinite()) << fine;
    EXPECT_TRUE(adam.second_moment().allFinite()) << fine;
  }
  for (const float wrong : {2e19f, -3e38f, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    gradient[32] = wrong;
    EXPECT_FALSE(Adam::CanStep(gradient)) << wrong;
  }
}

TEST(AdamTest, FindsTheBottomOfABowl) {
  ThreadPool pool(1);
  Eigen::VectorXf p(3);
  p << 5, -3, 1;
  Adam adam(3, 0.9, 0.999);
  const Eigen::Vector3f bottom(1, 2, 3);
  for (int i = 0; i < 2000; ++i) {
    const Eigen::VectorXf gradient = 2.0f * (p - bottom);
    adam.Step(0.05 * std::pow(0.997, i), gradient, &p, pool);
  }
  EXPECT_LT((p - bottom).norm(), 1e-2f);
}

}  // namespace
}  // namespace aisivi
