// What is measured of a fit beside its evidence, each from exact knowledge of the target.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "client/client.h"

namespace aisivi::experiments {

// Forward KL(p‖q) = E_p[log p − log q], nats, over exact draws (D×N) with their log densities (N).
// log q̂ is biased low, so the value is a little high.
absl::StatusOr<double> MeanForwardKl(const Client& client, const v1::Fit& fit,
                                 const Eigen::MatrixXd& draws, const Eigen::VectorXd& log_p);

// Modes (D×K) with their weights (K): the largest |share of draws nearest to a mode / weight − 1|.
absl::StatusOr<double> WorstModeWeight(const Client& client, const v1::Fit& fit,
                                       const Eigen::MatrixXd& modes,
                                       const Eigen::VectorXd& weights);

// The largest |posterior mean − truth| / sd of any coordinate. mean, sd: D.
absl::StatusOr<double> WorstMean(const Client& client, const v1::Fit& fit,
                                 const Eigen::VectorXd& mean, const Eigen::VectorXd& sd);

// "log ML" of arXiv 2506.03839, table 2: per coordinate, a Gaussian kernel density of bandwidth
// 0.01 over 60,000 draws; the sum of its log densities over all reference draws (D×N) and
// coordinates.
absl::StatusOr<double> MarginalLogDensity(const Client& client, const v1::Fit& fit,
                                          const Eigen::MatrixXd& reference);

}  // namespace aisivi::experiments
