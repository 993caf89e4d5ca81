// A data file for the regression targets, by the rules of data/csv_table.h.
//
// The line of names may be missing; the first column is the response y, the others are the features
// x, as they are: no intercept is added, nothing is scaled.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "aisivi/v1/fit.pb.h"

namespace aisivi::cli {

struct RegressionData {
  std::vector<std::string> names;  // of the features; empty without a header
  std::vector<double> y;           // N responses
  v1::Matrix x;                    // N×P, one observation per row
};

// `source` names the file in errors, "SOURCE:LINE: column C: …" (data/csv_reader.h).
absl::StatusOr<RegressionData> ReadRegressionData(const std::string& source, std::istream& stream);

// Reads the file into fields x and y of the fit's target. INVALID_ARGUMENT when that target takes
// no data.
absl::Status ReadDataFile(const std::string& file, v1::Fit* fit);

// Points, one per line: the same format without a response. An N×D matrix. Errors begin with the
// option that named the file.
absl::StatusOr<v1::Matrix> ReadPointsFile(const std::string& file,
                                          const std::string& option = "--points");

}  // namespace aisivi::cli
