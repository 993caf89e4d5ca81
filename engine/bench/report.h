// The report: every published setting, timed beside the matrix products it is made of.
#pragma once

#include <string>

namespace aisivi::bench {

struct ReportOptions {
  bool json = false;
  int threads = 0;      // 0: one per core
  std::string setting;  // empty: all
};

// Prints the report. Each setting runs in a process of its own, so that its peak memory is its own.
// Returns a process exit status.
int RunReport(const ReportOptions& options);

}  // namespace aisivi::bench
