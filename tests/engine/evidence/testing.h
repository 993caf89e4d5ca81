// Targets and models with known evidence.
#pragma once

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <memory>
#include <utility>

#include "engine/targets/registry.h"
#include "tests/engine/model/testing.h"

namespace aisivi::test {

inline std::unique_ptr<const Target> Gaussian(const Eigen::VectorXd& mean,
                                              const Eigen::MatrixXd& covariance) {
  absl::StatusOr<std::unique_ptr<const Target>> target =
      MakeTarget("gaussian", {{"mean", mean}, {"covariance", covariance}});
  EXPECT_TRUE(target.ok()) << target.status();
  return *std::move(target);
}

inline std::unique_ptr<const Target> LineGaussian(double mean, double sd) {
  return Gaussian(Eigen::VectorXd::Constant(1, mean), Eigen::MatrixXd::Constant(1, 1, sd * sd));
}

// A model that is N(0, 1) exactly.
inline std::shared_ptr<const Model> StandardNormal() {
  Random random(1);
  return MakeModel({MakeLineComponent({}, 0, 1, 1, random)});
}

}  // namespace aisivi::test
