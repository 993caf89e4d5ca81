#include "engine/evidence/summary.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace aisivi {
namespace {

absl::Status Validate(const Eigen::Ref<const Eigen::MatrixXd>& draws,
                      const std::vector<double>& probabilities) {
  if (draws.rows() < 1) return absl::InvalidArgumentError("draws: must have a dimension");
  if (draws.cols() < 2) {
    return absl::InvalidArgumentError(
        absl::StrFormat("draws: at least 2 are needed, got %d", draws.cols()));
  }
  if (!draws.allFinite()) return absl::InvalidArgumentError("draws: must be finite");
  for (size_t i = 0; i < probabilities.size(); ++i) {
    if (!(probabilities[i] >= 0 && probabilities[i] <= 1)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("probabilities: entry %d is %g, must be in [0, 1]", i, probabilities[i]));
    }
  }
  return absl::OkStatus();
}

// Type 7 of Hyndman & Fan: linear between order statistics, the ends at 0 and 1.
double Quantile(const Eigen::VectorXd& sorted, double probability) {
  const double position = probability * static_cast<double>(sorted.size() - 1);
  const int64_t low = static_cast<int64_t>(std::floor(position));
  const int64_t high = std::min<int64_t>(low + 1, sorted.size() - 1);
  const double share = position - static_cast<double>(low);
  return sorted[low] + share * (sorted[high] - sorted[low]);
}

}  // namespace

absl::StatusOr<PosteriorSummary> Summarize(const Eigen::Ref<const Eigen::MatrixXd>& draws,
                                           const std::vector<double>& probabilities,
                                           bool covariance) {
  if (absl::Status status = Validate(draws, probabilities); !status.ok()) return status;
  const int64_t dim = draws.rows();
  const int64_t count = draws.cols();
  const int64_t columns = static_cast<int64_t>(probabilities.size());
  PosteriorSummary summary;
  summary.mean = draws.rowwise().mean();
  summary.sd.resize(dim);
  summary.quantiles.resize(dim, columns);
  Eigen::VectorXd row(count);
  for (int64_t d = 0; d < dim; ++d) {
    row = draws.row(d).transpose();
    const double sum_of_squares = (row.array() - summary.mean[d]).square().sum();
    summary.sd[d] = std::sqrt(sum_of_squares / static_cast<double>(count - 1));
    if (columns == 0) continue;
    std::sort(row.begin(), row.end());
    for (int64_t q = 0; q < columns; ++q) {
      summary.quantiles(d, q) = Quantile(row, probabilities[static_cast<size_t>(q)]);
    }
  }
  if (covariance) {
    const Eigen::MatrixXd centred = draws.colwise() - summary.mean;
    summary.covariance = centred * centred.transpose() / static_cast<double>(count - 1);
  }
  return summary;
}

}  // namespace aisivi
