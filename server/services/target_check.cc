#include "server/services/target_check.h"

#include <algorithm>
#include <cmath>

namespace aisivi::server {
namespace {

// Coordinates that are displaced in one call of the target.
constexpr Eigen::Index kBlock = 64;

// Differences of point `z` in coordinates first … first + count − 1.
absl::Status BlockDifferences(const Target& target, const Eigen::VectorXd& z, double step,
                              Eigen::Index first, Eigen::Index count,
                              Eigen::Ref<Eigen::VectorXd> differences) {
  Eigen::MatrixXd displaced = z.replicate(1, 2 * count);
  Eigen::VectorXd width(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const double h = step * std::max(1.0, std::abs(z[first + i]));
    displaced(first + i, 2 * i) += h;
    displaced(first + i, 2 * i + 1) -= h;
    // What the coordinates differ by after rounding.
    width[i] = displaced(first + i, 2 * i) - displaced(first + i, 2 * i + 1);
  }
  Eigen::VectorXd log_density;
  if (absl::Status status = target.Evaluate(displaced, &log_density, nullptr); !status.ok()) {
    return status;
  }
  for (Eigen::Index i = 0; i < count; ++i) {
    differences[first + i] = (log_density[2 * i] - log_density[2 * i + 1]) / width[i];
  }
  return absl::OkStatus();
}

void Compare(TargetCheck* check) {
  for (Eigen::Index n = 0; n < check->scores.cols(); ++n) {
    for (Eigen::Index d = 0; d < check->scores.rows(); ++d) {
      const double score = check->scores(d, n);
      const double error = std::abs(score - check->differences(d, n));
      if (!std::isfinite(error)) {
        ++check->non_finite;
      } else {
        check->max_relative_error =
            std::max(check->max_relative_error, error / std::max(1.0, std::abs(score)));
      }
    }
  }
}

}  // namespace

absl::StatusOr<TargetCheck> CheckScores(const Target& target, const Eigen::MatrixXd& points,
                                        double step, const std::atomic<bool>* cancel) {
  TargetCheck check;
  absl::Status status = target.Evaluate(points, &check.log_density, &check.scores);
  if (!status.ok()) return status;
  check.differences.resize(points.rows(), points.cols());
  for (Eigen::Index n = 0; n < points.cols(); ++n) {
    for (Eigen::Index first = 0; first < points.rows(); first += kBlock) {
      if (cancel->load()) return absl::CancelledError("the client has left");
      const Eigen::Index count = std::min(kBlock, points.rows() - first);
      status =
          BlockDifferences(target, points.col(n), step, first, count, check.differences.col(n));
      if (!status.ok()) return status;
    }
  }
  Compare(&check);
  return check;
}

}  // namespace aisivi::server
