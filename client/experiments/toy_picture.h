// The pictures of the experiment `toy`.
#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/toy_density.h"
#include "client/experiments/toy_report.h"

namespace aisivi::experiments {

inline constexpr int kHistogramBins = 64;
inline constexpr int64_t kHistogramDraws = 100000;

struct ToyPanel {
  std::string title;
  Eigen::MatrixXd histogram;  // kHistogramBins × kHistogramBins; empty: the fit failed
};

struct ToyRow {
  std::string target;
  ToyDensity density;
  std::vector<ToyPanel> panels;
};

// toy.png, toy.svg: a row per target, the true density first, its contours over everything.
absl::Status DrawToyDensities(const std::vector<ToyRow>& rows, const std::filesystem::path& folder);

// toy_kl.png, toy_kl.svg: every seed's divergences by variant, on a logarithmic scale.
absl::Status DrawToyDivergences(const std::vector<ToySummary>& summaries,
                                const std::filesystem::path& folder);

}  // namespace aisivi::experiments
