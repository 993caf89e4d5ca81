#include "client/experiments/histogram.h"

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/experiments/csv.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {

Eigen::MatrixXd Histogram2(const Eigen::MatrixXd& z, const cli::Axis& x, const cli::Axis& y,
                           int bins) {
  const double width = (x.max - x.min) / bins, height = (y.max - y.min) / bins;
  Eigen::MatrixXd density = Eigen::MatrixXd::Zero(bins, bins);
  for (Eigen::Index n = 0; n < z.cols(); ++n) {
    const double i = std::floor((z(0, n) - x.min) / width),
                 j = std::floor((z(1, n) - y.min) / height);
    if (!(i >= 0 && i < bins && j >= 0 && j < bins)) continue;
    density(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) += 1;
  }
  return density / (static_cast<double>(z.cols()) * width * height);
}

cli::Axis Centers(const cli::Axis& axis, int bins) {
  const double half = 0.5 * (axis.max - axis.min) / bins;
  return {axis.min + half, axis.max - half, axis.ticks};
}

absl::Status WriteMatrix(const std::filesystem::path& file, const Eigen::MatrixXd& matrix) {
  std::string text;
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    std::vector<std::string> cells;
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) cells.push_back(CsvNumber(matrix(i, j)));
    text += CsvLine(cells);
  }
  return WriteWholeFile(file, text);
}

absl::StatusOr<Eigen::MatrixXd> ReadMatrix(const std::filesystem::path& file, int bins) {
  const absl::Status bad = absl::DataLossError(absl::StrCat(
      "--out: ", file.string(), " is not the matrix that was written; remove it to measure again"));
  Eigen::MatrixXd matrix(bins, bins);
  std::ifstream stream(file);
  std::string line;
  for (int i = 0; i < bins; ++i) {
    if (!std::getline(stream, line)) return bad;
    const absl::StatusOr<std::vector<std::string>> cells = ParseCsvLine(line);
    if (!cells.ok() || static_cast<int>(cells->size()) != bins) return bad;
    for (int j = 0; j < bins; ++j) {
      const absl::StatusOr<double> value = ParseCsvNumber((*cells)[j]);
      if (!value.ok()) return bad;
      matrix(i, j) = *value;
    }
  }
  return matrix;
}

}  // namespace aisivi::experiments
