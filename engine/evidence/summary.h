// Posterior summaries of draws.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "absl/status/statusor.h"

namespace aisivi {

struct PosteriorSummary {
  Eigen::VectorXd mean;        // D
  Eigen::VectorXd sd;          // D
  Eigen::MatrixXd quantiles;   // D×Q, one column per asked probability
  Eigen::MatrixXd covariance;  // D×D, empty unless asked
};

// draws: D×N, N ≥ 2. probabilities: each in [0, 1]; quantiles interpolate linearly between order
// statistics (Hyndman & Fan type 7). INVALID_ARGUMENT "FIELD: …" otherwise.
absl::StatusOr<PosteriorSummary> Summarize(const Eigen::Ref<const Eigen::MatrixXd>& draws,
                                           const std::vector<double>& probabilities,
                                           bool covariance);

}  // namespace aisivi
