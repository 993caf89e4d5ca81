// Small helpers of the target tests.
#pragma once

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "engine/targets/registry.h"

namespace aisivi::test {

// rows×cols of N(0, scale²).
inline Eigen::MatrixXd RandomMatrix(int rows, int cols, double scale, uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal(0, scale);
  return Eigen::MatrixXd::NullaryExpr(rows, cols, [&] { return normal(generator); });
}

// The target, or null and a test failure.
inline std::unique_ptr<const Target> Make(const std::string& name,
                                          const TargetParameters& parameters = {}) {
  absl::StatusOr<std::unique_ptr<const Target>> target = MakeTarget(name, parameters);
  EXPECT_TRUE(target.ok()) << target.status();
  return target.ok() ? *std::move(target) : nullptr;
}

inline Eigen::VectorXd LogDensity(const Target& target,
                                  const Eigen::Ref<const Eigen::MatrixXd>& z) {
  Eigen::VectorXd log_density;
  EXPECT_TRUE(target.Evaluate(z, &log_density, nullptr).ok());
  return log_density;
}

inline Eigen::MatrixXd Score(const Target& target, const Eigen::Ref<const Eigen::MatrixXd>& z) {
  Eigen::VectorXd log_density;
  Eigen::MatrixXd score;
  EXPECT_TRUE(target.Evaluate(z, &log_density, &score).ok());
  return score;
}

// The message of the error that `parameters` cause; "" when they are accepted.
inline std::string Error(const std::string& name, const TargetParameters& parameters) {
  const absl::Status status = MakeTarget(name, parameters).status();
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

inline double LogNormal(double x, double mean, double variance) {
  return -0.5 * (std::log(2 * M_PI * variance) + (x - mean) * (x - mean) / variance);
}

}  // namespace aisivi::test
