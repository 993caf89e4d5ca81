// The filter of ListFits: comparisons joined by AND.
//
//   FIELD = VALUE, FIELD != VALUE;  FIELD: state, method, preset, labels.KEY;  VALUE: bare or
//   "quoted"
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/fit.pb.h"

namespace aisivi::server {

class FitFilter {
 public:
  // INVALID_ARGUMENT at `filter`, which has at most 4096 bytes.
  static absl::StatusOr<FitFilter> Parse(absl::string_view text);

  bool Matches(const v1::Fit& fit) const;

 private:
  struct Comparison {
    std::string field;
    bool negated;
    std::string value;
  };
  static absl::StatusOr<Comparison> ParseComparison(absl::string_view text);

  std::vector<Comparison> comparisons_;
};

}  // namespace aisivi::server
