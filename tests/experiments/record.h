// One measured fit, as a line of a file of results, and the table of many.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/experiments/experiment.h"

namespace aisivi::experiments {

struct Record {
  std::string experiment;
  uint64_t seed = 0;
  std::string state, reason;   // as the service names them
  double seconds = 0;          // from start to end of the fit
  double gap = 0, gap_se = 0;  // log_z − elbo_lower and its Monte Carlo error, nats
  double width = 0;            // elbo_upper − elbo_lower, nats
  double log_z_error = 0, standard_error = 0;
  double pareto_k = 0;
  bool trusted = false;
  double measure = 0;  // NaN: none
};

// Tab-separated, in the order of the fields.
std::string ToLine(const Record& record);
absl::StatusOr<Record> FromLine(const std::string& line);

// The report, in Markdown: medians and worst cases over the seeds of every experiment; seconds of
// seeds 1 to `timed_seeds`, 0: of all.
std::string Report(const std::vector<Experiment>& experiments, const std::vector<Record>& records,
                   uint64_t timed_seeds = 0);

}  // namespace aisivi::experiments
