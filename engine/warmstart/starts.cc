#include "engine/warmstart/starts.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "absl/strings/str_format.h"

namespace aisivi {
namespace {

constexpr int64_t kProbes = 1152;  // 128 at each of nine scales
constexpr int kProbeScales = 9;

// The columns that can be evaluated, highest log density first, at most `count` of them.
Eigen::MatrixXd BestColumns(const Eigen::MatrixXd& points, const Evaluation& evaluation,
                            int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(points.cols()));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return evaluation.log_density[a] > evaluation.log_density[b];
  });
  const int64_t kept = std::min(count, evaluation.good);
  Eigen::MatrixXd result(points.rows(), kept);
  for (int64_t i = 0; i < kept; ++i) result.col(i) = points.col(order[static_cast<size_t>(i)]);
  return result;
}

}  // namespace

absl::StatusOr<Eigen::MatrixXd> FindStarts(Evaluator& evaluator, uint64_t seed, int64_t count) {
  constexpr double kScales[] = {0.1, 1, 1, 1, 3, 3, 10, 10};
  Eigen::MatrixXd points = Normals(seed, DrawStream::kStarts, 0, evaluator.dim(), count);
  for (int64_t i = 0; i < count; ++i) points.col(i) *= kScales[i % 8];
  Evaluation evaluation;
  absl::Status status = evaluator.Evaluate(points, &evaluation);
  if (!status.ok()) return status;
  if (evaluation.good > 0) return BestColumns(points, evaluation, count);

  points = Normals(seed, DrawStream::kProbe, 0, evaluator.dim(), kProbes);
  for (int64_t i = 0; i < kProbes; ++i) {
    points.col(i) *= std::pow(10.0, static_cast<double>(i % kProbeScales) - 4);
  }
  if (status = evaluator.Evaluate(points, &evaluation); !status.ok()) return status;
  if (evaluation.good == 0) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "target: its log density and score are not finite at any of %d points tried, at scales "
        "from 1e-4 to 1e4",
        count + kProbes));
  }
  return BestColumns(points, evaluation, count);
}

}  // namespace aisivi
