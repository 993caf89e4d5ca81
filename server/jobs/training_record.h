// A thinned record of a running fit's progress, for plots while it runs.
//
// Keeps every s-th report; when the record is full, every other entry is dropped and s doubles. So
// it stays evenly spaced over the whole run, between kMax/2 and kMax entries.
#pragma once

#include <cstdint>
#include <vector>

#include "aisivi/v1/fit.pb.h"

namespace aisivi::server {

// Not thread-safe.
class TrainingRecord {
 public:
  static constexpr int kMax = 1024;

  void Add(const v1::FitProgress& report);
  const std::vector<v1::FitProgress>& reports() const { return reports_; }

 private:
  std::vector<v1::FitProgress> reports_;
  int64_t seen_ = 0;
  int64_t stride_ = 1;
};

}  // namespace aisivi::server
