// The picture of a fit as a gnuplot script with its data files.
//
// Left: a triangle of pairs (marginal densities on the diagonal, joint densities with their 50 %
// and 95 % highest-density contours below it, correlations above it). Right: the training curves
// over seconds: ELBO, effective share of the inner samples, score residual.
#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "aisivi/v1/fit_service.pb.h"

namespace aisivi::cli {

struct PlotInput {
  v1::Fit fit;
  v1::TrainingHistory history;
  std::vector<std::string> names;  // of the coordinates shown
  Eigen::MatrixXd z;               // one row per coordinate shown, one column per draw; finite
};

// A text as a gnuplot string: nothing in it is ever interpreted.
std::string GnuplotString(const std::string& text);

// Writes the data files into `directory` and returns the script that draws `out`.
absl::StatusOr<std::string> WritePlot(const PlotInput& input,
                                      const std::filesystem::path& directory,
                                      const std::string& out);

}  // namespace aisivi::cli
