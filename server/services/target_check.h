// Whether a target's scores are the gradients of its log density.
//
//   difference_d(z) = [log p̃(z + h e_d) − log p̃(z − h e_d)] / 2h,  h = step · max(1, |z_d|)
#pragma once

#include <Eigen/Core>
#include <atomic>

#include "absl/status/statusor.h"
#include "engine/targets/target.h"

namespace aisivi::server {

struct TargetCheck {
  Eigen::VectorXd log_density;  // N
  Eigen::MatrixXd scores;       // D×N
  Eigen::MatrixXd differences;  // D×N
  // Largest |score − difference| / max(1, |score|) where both are finite.
  double max_relative_error = 0;
  int64_t non_finite = 0;  // entries where one is not
};

// points: D×N, finite; step > 0. Memory is bounded whatever D and N. CANCELLED once `*cancel` is
// true.
absl::StatusOr<TargetCheck> CheckScores(const Target& target, const Eigen::MatrixXd& points,
                                        double step, const std::atomic<bool>* cancel);

}  // namespace aisivi::server
