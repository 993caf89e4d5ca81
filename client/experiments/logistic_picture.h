// The pictures of the experiment `logistic`.
#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace aisivi::experiments {

struct DrawsOfFit {
  std::string title;
  Eigen::MatrixXd z;  // D×N
};

// logistic_marginals.png and .svg: densities of up to six coordinates, the most correlated ones.
absl::Status DrawMarginals(const std::vector<DrawsOfFit>& fits,
                           const std::optional<Eigen::MatrixXd>& reference,
                           const std::filesystem::path& folder);

// logistic_correlations.png and .svg: a panel per fit, a point per pair of coordinates.
absl::Status DrawCorrelations(const std::vector<DrawsOfFit>& fits, const Eigen::MatrixXd& reference,
                              const std::filesystem::path& folder);

// logistic_pairs.png and .svg: the joint density of each pair of up to four coordinates, the most
// correlated ones: the reference draws as points, or those of the first fit where there are none,
// and for every fit the contour that holds 95 % of its draws. Source of the contours: Hyndman,
// Computing and graphing highest density regions, The American Statistician 50 (1996).
absl::Status DrawPairs(const std::vector<DrawsOfFit>& fits,
                       const std::optional<Eigen::MatrixXd>& reference,
                       const std::filesystem::path& folder);

}  // namespace aisivi::experiments
