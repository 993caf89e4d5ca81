// Adam (Kingma & Ba, ICLR 2015, arXiv 1412.6980) on a flat parameter vector.
//
//   m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  p ← p − lr · m̂ / (√v̂ + 1e-8)
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "engine/parallel/thread_pool.h"

namespace aisivi {

// All that the next step depends on besides gradient and parameters.
struct AdamState {
  double beta1 = 0.9, beta2 = 0.999;
  int64_t steps = 0;
  Eigen::VectorXf m, v;  // one entry per parameter
};

class Adam {
 public:
  Adam() = default;
  Adam(int64_t parameters, double beta1, double beta2);

  // Whether a step down `gradient` leaves everything finite: ‖g‖² is, in single precision. A v of
  // inf would be there for good, and √inf by a vectorised inverse root is not a number.
  static bool CanStep(const Eigen::VectorXf& gradient);

  // One step down `gradient` (same length as `parameters`, CanStep).
  void Step(double learning_rate, const Eigen::VectorXf& gradient, Eigen::VectorXf* parameters,
            ThreadPool& pool);

  int64_t steps() const { return state_.steps; }
  const Eigen::VectorXf& first_moment() const { return state_.m; }
  const Eigen::VectorXf& second_moment() const { return state_.v; }
  const AdamState& state() const { return state_; }
  AdamState& state() { return state_; }

 private:
  AdamState state_;
};

}  // namespace aisivi
