#include "client/experiments/matrix_csv.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/experiments/csv.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {

absl::Status WriteMatrix(const std::filesystem::path& file, const Eigen::MatrixXd& matrix) {
  std::string text;
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    std::vector<std::string> cells;
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) cells.push_back(CsvNumber(matrix(i, j)));
    text += CsvLine(cells);
  }
  return WriteWholeFile(file, text);
}

absl::StatusOr<Eigen::MatrixXd> ReadMatrix(const std::filesystem::path& file, Eigen::Index rows,
                                           Eigen::Index columns) {
  const absl::Status bad = absl::DataLossError(absl::StrCat(
      "--out: ", file.string(), " is not the matrix that was written; remove it to measure again"));
  Eigen::MatrixXd matrix(rows, columns);
  std::ifstream stream(file);
  std::string line;
  for (Eigen::Index i = 0; i < rows; ++i) {
    if (!std::getline(stream, line)) return bad;
    const absl::StatusOr<std::vector<std::string>> cells = ParseCsvLine(line);
    if (!cells.ok() || static_cast<Eigen::Index>(cells->size()) != columns) return bad;
    for (Eigen::Index j = 0; j < columns; ++j) {
      const absl::StatusOr<double> value = ParseCsvNumber((*cells)[static_cast<size_t>(j)]);
      if (!value.ok()) return bad;
      matrix(i, j) = *value;
    }
  }
  return matrix;
}

}  // namespace aisivi::experiments
