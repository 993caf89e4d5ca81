// Forward KL(p‖q) = E_p[log p − log q], nats, of a fit from exact draws of its target.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "absl/status/statusor.h"
#include "client/client.h"

namespace aisivi::experiments {

struct KlEstimate {
  double value;
  double standard_error;  // Monte Carlo, over the draws
  double trimmed;         // without the largest 1 % of the terms log p − log q
};

// draws: D×N of p, log_p: N. log q̂ of K samples is biased low, so that the value is a little high:
// K is what the fit's own evidence needed, as long as N × K stays below 4e7 with a flow and 4e8
// without one, and at least 2048.
absl::StatusOr<KlEstimate> ForwardKl(const Client& client, const v1::Fit& fit,
                                     const Eigen::MatrixXd& draws, const Eigen::VectorXd& log_p);

// From the log densities at the draws, N ≥ 2.
KlEstimate EstimateKl(const Eigen::VectorXd& log_p, const Eigen::VectorXd& log_q);

// K for that many draws.
int64_t ForwardKlInnerSamples(const v1::Fit& fit, int64_t draws);

}  // namespace aisivi::experiments
