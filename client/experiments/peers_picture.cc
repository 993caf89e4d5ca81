#include "client/experiments/peers_picture.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/plot_page.h"
#include "client/experiments/picture.h"

namespace aisivi::experiments {
namespace {

struct PanelPlan {
  const char* label;
  double (*value)(const FitResult&);
};

constexpr PanelPlan kPanels[] = {
    {"seconds", [](const FitResult& r) { return r.seconds; }},
    {"gradients of log p", [](const FitResult& r) { return MeasureOf(r, kGradients); }},
    {"standard error of log Z", [](const FitResult& r) { return r.log_z_se; }},
};

// Targets side by side, and a little apart the two ways.
void DrawPanel(const Peers& peers, const PanelPlan& panel, const std::string& id, bool key,
               Picture* picture) {
  std::vector<std::string> plots, tics;
  double low = INFINITY, high = 0;
  for (const char* way : {"aisivi", kNuts}) {
    const bool nuts = std::string(way) == kNuts;
    std::vector<std::vector<double>> points;
    for (size_t t = 0; t < peers.targets.size(); ++t) {
      for (const FitResult& r : ResultsOf(peers, peers.targets[t], way)) {
        const double value = panel.value(r);
        if (!std::isfinite(value) || value <= 0) continue;
        points.push_back({static_cast<double>(t) + (nuts ? 0.12 : -0.12), value});
        low = std::min(low, value), high = std::max(high, value);
      }
    }
    if (points.empty()) continue;
    const std::string name = absl::StrCat("peers_", id, "_", way);
    picture->AddData(name, points);
    plots.push_back(absl::StrFormat(
        "$%s using 1:2 with points pt %d ps 1.3 lc rgb '%s' title %s", name, nuts ? 5 : 7,
        SeriesColor(nuts ? 1 : 0),
        cli::GnuplotString(nuts ? "NUTS and bridge sampling" : "aisivi, defaults")));
  }
  if (plots.empty()) return picture->Nothing("no result has it");
  for (size_t t = 0; t < peers.targets.size(); ++t) {
    tics.push_back(absl::StrCat(cli::GnuplotString(peers.targets[t]), " ", t));
  }
  if (key) picture->Add("set key at screen 0.985,0.97 right top horizontal maxrows 1\n");
  // A logarithmic axis over less would have one label, or none.
  const bool logarithmic = high > 30 * low;
  if (logarithmic) picture->Add("set logscale y\n");
  picture->Add(absl::StrFormat(
      "set xtics nomirror (%s) font ',9'\nset xrange [-0.6:%.1f]\nset yrange [%.6g:%.6g]\n"
      "set grid ytics lc rgb '#e4e7eb' lt 1\nplot %s\n",
      absl::StrJoin(tics, ", "), static_cast<double>(peers.targets.size()) - 0.4,
      logarithmic ? low / 2 : 0, logarithmic ? high * 2 : high * 1.15, absl::StrJoin(plots, ", ")));
}

}  // namespace

absl::Status DrawPeers(const Peers& peers, const std::filesystem::path& folder) {
  Picture picture(1640, 460);
  picture.Title("Beside NUTS and bridge sampling");
  for (size_t p = 0; p < std::size(kPanels); ++p) {
    const double left = 0.055 + 0.325 * static_cast<double>(p);
    picture.BeginPanel({left, left + 0.26, 0.11, 0.84}, "", "", kPanels[p].label);
    DrawPanel(peers, kPanels[p], absl::StrCat(p), p == 0, &picture);
  }
  return picture.Draw(folder, "peers");
}

}  // namespace aisivi::experiments
