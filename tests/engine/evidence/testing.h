// Targets and models with known evidence.
#pragma once

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <memory>
#include <string>
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

// Wrong on purpose: curved, with a proposal that does not fit.
inline std::shared_ptr<const Model> WrongLineModel(uint64_t seed, bool proposal = true) {
  Random random(seed);
  return MakeModel(
      {MakeLineComponent({.proposal = proposal, .wildness = 0.25}, 0.2, 1.1, 1, random)});
}

// Two components; at 1 sd from each other they overlap, at 20 they do not touch.
inline std::shared_ptr<const Model> TwoComponents(double distance, bool proposal = true,
                                                  double wildness = 0.15) {
  Random random(8);
  const ComponentShape shape{.proposal = proposal, .wildness = wildness};
  return MakeModel({MakeLineComponent(shape, -distance / 2, 1, 0.3, random),
                    MakeLineComponent(shape, distance / 2, 1.4, 0.7, random)});
}

// Invalid, and the message starts with the field.
inline void ExpectRefused(const absl::Status& status, const std::string& field) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field << ": " << status;
  EXPECT_EQ(status.message().substr(0, field.size() + 1), field + ":") << status;
}

}  // namespace aisivi::test
