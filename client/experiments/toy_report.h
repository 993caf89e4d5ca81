// The tables and the text of the experiment `toy`.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/settings.h"
#include "client/experiments/toy_chunks.h"
#include "client/experiments/variant.h"

namespace aisivi::experiments {

// The measures of a fit on a 2-D target.
inline constexpr char kForwardKl[] = "forward_kl";
inline constexpr char kForwardKlError[] = "forward_kl_se";
inline constexpr char kForwardKlTrimmed[] = "forward_kl_trimmed";

// All seeds of one target and variant; nats.
struct ToySummary {
  std::string target;
  Variant variant;
  double published;  // forward KL of arXiv 2506.03839
  std::vector<double> forward, forward_error, trimmed, reverse, seconds;
  int seeds = 0, succeeded = 0;
  std::string shortened;   // what the quick size changed of the preset
  bool comparable = true;  // false where the user changed hyperparameters
};

// One for each target and variant; results of the same must follow one another.
std::vector<ToySummary> Summarise(const Settings& settings, const std::vector<FitResult>& results);

// Forward KL(p‖q) that arXiv 2506.03839 reports for the method; NaN when it has none.
double PublishedForwardKl(const std::string& target, const std::string& method);

// A sentence: how our figure compares with the published one.
std::string Comparison(const ToySummary& summary);

// report.md and toy.csv.
absl::Status WriteToyReport(const Settings& settings, const std::vector<ToySummary>& summaries,
                            const std::vector<ChunkPair>& chunks);

}  // namespace aisivi::experiments
