// The table and the text of the experiment `diffusion`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/settings.h"

namespace aisivi::experiments {

// The measures that need reference draws.
inline constexpr char kLogMl[] = "log_ml";
inline constexpr char kMeanLogQ[] = "mean_log_q";

// Where the path bands of a fit are kept.
std::filesystem::path BandsFile(const Settings& settings, const FitKey& key);

// log ML that arXiv 2506.03839 reports for the method; NaN when it has none.
double PublishedLogMl(const std::string& method);

// A sentence: how our log ML compares with the published one.
std::string CompareLogMl(double ours, double published);

// report.md and diffusion.csv. Results: those of one way to fit follow one another.
absl::Status WriteDiffusionReport(const Settings& settings, const std::vector<FitResult>& results);

}  // namespace aisivi::experiments
