#include "client/experiments/reference_draws.h"

#include "absl/strings/str_cat.h"
#include "client/cli/data_csv.h"
#include "client/client.h"

namespace aisivi::experiments {

absl::StatusOr<std::optional<Eigen::MatrixXd>> ReadReference(const std::string& file,
                                                             int64_t dimension) {
  if (file.empty()) return std::nullopt;
  const absl::StatusOr<v1::Matrix> points = cli::ReadPointsFile(file, "--reference");
  if (!points.ok()) return points.status();
  if (points->columns() != dimension) {
    return absl::InvalidArgumentError(absl::StrCat("--reference: ", file, " has ",
                                                   points->columns(), " columns, the posterior ",
                                                   dimension, " coordinates"));
  }
  return PointsFromProto(*points);
}

}  // namespace aisivi::experiments
