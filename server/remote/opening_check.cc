#include "server/remote/opening_check.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/transforms/names.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr int64_t kPoints = 8;
constexpr int64_t kMostDisplacements = 512;
constexpr double kStep = 1e-4;
// Sums in another order, or single precision inside, stay below; another point's value does not.
constexpr double kSame = 1e-5;
constexpr double kSlope = 1e-3;
constexpr double kRounding = 64 * 2.2e-16;  // of a log density of 1, in several operations

bool Same(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return std::isnan(a) ? std::isnan(b) : a == b;
  return std::abs(a - b) <= kSame * std::max({1.0, std::abs(a), std::abs(b)});
}

}  // namespace

OpeningCheck::OpeningCheck(const RemoteDensity& density, bool differences) : density_(density) {
  const int64_t points = std::min(kPoints, PointsPerBatch(density.map.constrained()));
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  y_ = Eigen::MatrixXd::NullaryExpr(density.map.unconstrained(), points,
                                    [&] { return normal(engine); });
  AddPart(y_, /*score=*/true);
  for (int64_t j = 0; j < points; ++j) AddPart(y_.col(j), /*score=*/true);
  if (differences) AddDisplacements(y_);
}

void OpeningCheck::AddPart(const Eigen::MatrixXd& y, bool score) {
  Part part;
  density_.map.Constrain(y, &part.x, &part.log_jacobian);
  part.score = score;
  batches_.push_back(std::move(part));
}

void OpeningCheck::AddDisplacements(const Eigen::MatrixXd& y) {
  const int64_t dim = y.rows();
  const int64_t count =
      std::min({dim, kMostDisplacements, PointsPerBatch(density_.map.constrained()) / 2});
  if (count == 0) return;
  Eigen::MatrixXd displaced(dim, 2 * count);
  for (int64_t k = 0; k < count; ++k) {
    const int64_t d = k * dim / count, point = k % y.cols();
    const double h = kStep * std::max(1.0, std::abs(y(d, point)));
    displaced.col(2 * k) = displaced.col(2 * k + 1) = y.col(point);
    displaced(d, 2 * k) += h;
    displaced(d, 2 * k + 1) -= h;
    displacements_.push_back({d, point, displaced(d, 2 * k) - displaced(d, 2 * k + 1)});
  }
  AddPart(displaced, /*score=*/false);
}

void OpeningCheck::Take(size_t batch, const Batch& answered) {
  Part& part = batches_[batch];
  part.log_density.resize(answered.points);
  if (part.score) part.scores.resize(answered.values, answered.points);
  ReadAnswer(answered, part.log_density, part.score ? &part.scores : nullptr);
}

absl::Status OpeningCheck::Result() const {
  if (absl::Status status = CheckBatching(); !status.ok()) return status;
  if (displacements_.empty()) return absl::OkStatus();
  if (absl::Status status = CheckScoresAreFinite(); !status.ok()) return status;
  return CheckDifferences();
}

absl::Status OpeningCheck::CheckBatching() const {
  const Part& together = batches_.front();
  const std::vector<std::string> names = ElementNames(density_.map.Variables());
  for (int64_t j = 0; j < y_.cols(); ++j) {
    const Part& alone = batches_[static_cast<size_t>(1 + j)];
    if (!Same(together.log_density[j], alone.log_density[0])) {
      return FieldError(
          "answer.log_density",
          absl::StrFormat("of point %d is %.17g in a batch of %d and %.17g alone: every point must "
                          "be evaluated for itself",
                          j + 1, together.log_density[j], y_.cols(), alone.log_density[0]));
    }
    for (int64_t v = 0; v < together.scores.rows(); ++v) {
      if (Same(together.scores(v, j), alone.scores(v, 0))) continue;
      return FieldError(
          "answer.score",
          absl::StrFormat(
              "of point %d at %s is %.17g in a batch of %d and %.17g alone: every point "
              "must be evaluated for itself",
              j + 1, names[static_cast<size_t>(v)], together.scores(v, j), y_.cols(),
              alone.scores(v, 0)));
    }
  }
  return absl::OkStatus();
}

absl::Status OpeningCheck::CheckScoresAreFinite() const {
  const Part& part = batches_.front();
  int64_t bad = -1;
  for (int64_t j = 0; j < y_.cols(); ++j) {
    if (!std::isfinite(part.log_density[j])) continue;
    if (part.scores.col(j).allFinite()) return absl::OkStatus();
    if (bad < 0) bad = j;
  }
  if (bad < 0) return absl::OkStatus();
  int64_t v = 0;
  while (std::isfinite(part.scores(v, bad))) ++v;
  return FieldError("answer.score", absl::StrCat("at ", ElementNames(density_.map.Variables())[v],
                                                 " is ", part.scores(v, bad),
                                                 " where the log density is finite, and no "
                                                 "point has a finite score"));
}

absl::Status OpeningCheck::CheckDifferences() const {
  const Part& at = batches_.front();
  const Part& around = batches_.back();
  Eigen::MatrixXd slope;
  density_.map.PullBack(y_, at.x, at.scores, &slope);
  const Eigen::VectorXd f = around.log_density + around.log_jacobian;
  for (size_t k = 0; k < displacements_.size(); ++k) {
    const Displacement& moved = displacements_[k];
    const double up = f[static_cast<int64_t>(2 * k)], down = f[static_cast<int64_t>(2 * k + 1)];
    const double difference = (up - down) / moved.width;
    const double said = slope(moved.coordinate, moved.point);
    if (!std::isfinite(difference) || !std::isfinite(said)) continue;
    const double noise = kRounding * (1 + std::abs(up) + std::abs(down)) / moved.width;
    if (std::abs(said - difference) <=
        kSlope * std::max(1.0, std::max(std::abs(said), std::abs(difference))) + noise) {
      continue;
    }
    return FieldError(
        "answer.score",
        absl::StrFormat(
            "at %s does not fit log_density: of point %d it makes a slope of %.6g in the "
            "unconstrained coordinate, and finite differences are %.6g%s",
            density_.map.CoordinateNames()[static_cast<size_t>(moved.coordinate)], moved.point + 1,
            said, difference,
            InSinglePrecision() ? ". All log densities are numbers of single precision: compute in "
                                  "float64 (JAX: jax_enable_x64), or set omit_check"
                                : ""));
  }
  return absl::OkStatus();
}

bool OpeningCheck::InSinglePrecision() const {
  return std::all_of(batches_.back().log_density.begin(), batches_.back().log_density.end(),
                     [](double p) { return !std::isfinite(p) || p == static_cast<float>(p); });
}

}  // namespace aisivi::server
