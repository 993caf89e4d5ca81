// Reading the CSV files that tests and experiments compare with.
#pragma once

#include <Eigen/Core>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace aisivi::test {

struct Table {
  std::string header;
  Eigen::MatrixXd rows;  // text counts as 0
};

// NOT_FOUND when there is no such file or nothing below its header; INVALID_ARGUMENT when its rows
// differ in length.
inline absl::StatusOr<Table> ReadCsv(const std::string& path) {
  std::ifstream file(path);
  Table table;
  if (!std::getline(file, table.header)) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  }
  std::vector<double> values;
  Eigen::Index rows = 0;
  for (std::string line, cell; std::getline(file, line); ++rows) {
    std::stringstream cells(line);
    while (std::getline(cells, cell, ',')) values.push_back(std::strtod(cell.c_str(), nullptr));
    const auto columns = static_cast<Eigen::Index>(values.size()) / (rows + 1);
    if (rows == 0) table.rows.resize(0, columns);
    if (columns * (rows + 1) != static_cast<Eigen::Index>(values.size()) ||
        columns != table.rows.cols()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": row ", rows + 1, " has another length"));
    }
  }
  if (rows == 0) return absl::NotFoundError(absl::StrCat(path, ": has no rows"));
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  table.rows = RowMajor::Map(values.data(), rows, table.rows.cols());
  return table;
}

}  // namespace aisivi::test
