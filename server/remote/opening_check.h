// Whether a density that is offered is what fits need: computed from a few batches.
//
//   batched   8 points give the same in one batch and one by one
//   score     what it says of log p + log|J| in coordinate d of y agrees with
//             [f(y + h e_d) − f(y − h e_d)] / 2h,  f = log p(x(y)) + log|J|,  h = 1e-4 max(1,
//             |y_d|), at one of the points, for all coordinates or, of many, for some of them
// Points y are standard normal, always the same. What is not finite is passed over, but for a score
// that is so at every point of finite density.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "server/remote/batch.h"
#include "server/remote/remote_density.h"

namespace aisivi::server {

// Thread safety: one thread at a time.
class OpeningCheck {
 public:
  // `density` must outlive this; `differences`: whether scores are compared with them.
  OpeningCheck(const RemoteDensity& density, bool differences);

  size_t batches() const { return batches_.size(); }
  // V×N of a batch, and whether it asks for scores.
  const Eigen::MatrixXd& points(size_t batch) const { return batches_[batch].x; }
  bool score(size_t batch) const { return batches_[batch].score; }
  // The answer to that batch, which passed CheckAnswer().
  void Take(size_t batch, const Batch& answered);

  // Once every batch has its answer: OK, or INVALID_ARGUMENT at "answer.FIELD".
  absl::Status Result() const;

 private:
  struct Part {
    Eigen::MatrixXd x;             // V×N
    Eigen::VectorXd log_jacobian;  // N
    bool score = true;
    Eigen::VectorXd log_density;  // N
    Eigen::MatrixXd scores;       // V×N
  };
  // A coordinate that is displaced: up in column 2 k of the last part, down in column 2 k + 1.
  struct Displacement {
    int64_t coordinate, point;
    double width;  // between the two
  };

  void AddPart(const Eigen::MatrixXd& y, bool score);
  void AddDisplacements(const Eigen::MatrixXd& y);
  absl::Status CheckBatching() const;
  absl::Status CheckScoresAreFinite() const;
  absl::Status CheckDifferences() const;
  bool InSinglePrecision() const;

  const RemoteDensity& density_;
  Eigen::MatrixXd y_;  // D×8, or fewer where points are large
  std::vector<Part> batches_;
  std::vector<Displacement> displacements_;
};

}  // namespace aisivi::server
