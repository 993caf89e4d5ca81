// A data file for the regression targets: comma-separated numbers, one observation per line.
//
// Optional header line (recognised by having no number in it); the first column is the response
// y, the others are the features x, as they are: no intercept is added, nothing is scaled. Lines
// that are blank or begin with '#' are left out; CRLF and a byte-order mark are understood.
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

// `source` names the file in errors: INVALID_ARGUMENT "SOURCE:LINE: column C: …" for a cell that is
// empty, not a number or not finite, and for a line with too few or too many cells.
absl::StatusOr<RegressionData> ReadRegressionData(const std::string& source, std::istream& stream);

// Reads the file into fields x and y of the fit's target. INVALID_ARGUMENT when that target takes
// no data.
absl::Status ReadDataFile(const std::string& file, v1::Fit* fit);

// Points, one per line: the same format without a response. An N×D matrix. Errors begin with the
// option that named the file.
absl::StatusOr<v1::Matrix> ReadPointsFile(const std::string& file,
                                          const std::string& option = "--points");

}  // namespace aisivi::cli
