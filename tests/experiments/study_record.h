// One fit of the study of verdicts, as a line of a CSV file, and the summary of many.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace aisivi::experiments {

struct StudyRecord {
  std::string name;  // of the mixture
  uint64_t seed = 0;
  int64_t dimension = 0, components = 0;
  std::string verdict;     // "good", "usable", "do not trust" or "none": nothing was fitted
  double log_z_error = 0;  // log Ẑ − log Z, nats
  double standard_error = 0;
  double gap = 0;  // log Z − elbo_lower, nats
  double pareto_k = 0, ess_share = 0;
  int64_t found = 0;       // components that draws of q meet
  double mass_missed = 0;  // weight of those that they do not
  double seconds = 0;
  int64_t densities = 0;  // evaluations of log p̃ alone, in points
  int64_t gradients = 0;  // evaluations with its gradient, in points
  std::string cause;      // of a wrong log Ẑ, as far as the truth tells; empty: it is right
  std::string missed;     // the components missed, for people
  std::string search;     // what the fit's log says of modes
};

// A wrong log Ẑ is off by more than this, nats.
inline constexpr double kWrong = 0.1;

std::string StudyHeader();
std::string ToCsv(const StudyRecord& record);
absl::StatusOr<StudyRecord> FromCsv(const std::string& line);

// Counts by verdict, the share of wrong ones among the good, their list with causes, and how k̂
// bears on it.
std::string StudySummary(const std::vector<StudyRecord>& records);

// A table with one row per fit.
std::string StudyTable(const std::vector<StudyRecord>& records);

}  // namespace aisivi::experiments
