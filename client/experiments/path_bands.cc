#include "client/experiments/path_bands.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/quantile.h"
#include "client/experiments/csv.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {
PathBands BandsOf(const Eigen::MatrixXd& draws) {
  PathBands bands;
  for (Eigen::VectorXd* part : {&bands.low, &bands.median, &bands.high}) part->resize(draws.rows());
  std::vector<double> sorted(static_cast<size_t>(draws.cols()));
  for (Eigen::Index d = 0; d < draws.rows(); ++d) {
    Eigen::RowVectorXd::Map(sorted.data(), draws.cols()) = draws.row(d);
    std::sort(sorted.begin(), sorted.end());
    bands.low[d] = cli::Quantile(sorted, 0.025);
    bands.median[d] = cli::Quantile(sorted, 0.5);
    bands.high[d] = cli::Quantile(sorted, 0.975);
  }
  return bands;
}

absl::Status WriteBands(const std::filesystem::path& file, const PathBands& bands) {
  ReportTable table({"step", "low", "median", "high"});
  for (Eigen::Index d = 0; d < bands.median.size(); ++d) {
    table.AddRow({absl::StrCat(d + 1), CsvNumber(bands.low[d]), CsvNumber(bands.median[d]),
                  CsvNumber(bands.high[d])});
  }
  return WriteWholeFile(file, table.ToCsv());
}

absl::StatusOr<PathBands> ReadBands(const std::filesystem::path& file) {
  const absl::Status bad = absl::DataLossError(absl::StrCat(
      "--out: ", file.string(), " is not the bands that were written; remove it to fit again"));
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line) || line != "step,low,median,high") return bad;
  std::vector<double> values;
  while (std::getline(stream, line)) {
    const absl::StatusOr<std::vector<std::string>> cells = ParseCsvLine(line);
    if (!cells.ok() || cells->size() != 4) return bad;
    for (size_t c = 1; c < 4; ++c) {
      const absl::StatusOr<double> value = ParseCsvNumber((*cells)[c]);
      if (!value.ok()) return bad;
      values.push_back(*value);
    }
  }
  const Eigen::MatrixXd rows = Eigen::Map<const Eigen::MatrixXd>(
      values.data(), 3, static_cast<Eigen::Index>(values.size() / 3));
  return PathBands{rows.row(0), rows.row(1), rows.row(2)};
}

}  // namespace aisivi::experiments
