#include "client/experiments/architecture_picture.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/experiments/curves.h"
#include "client/experiments/picture.h"

namespace aisivi::experiments {
namespace {

using Value = double (*)(const Architecture&, const FitResult&);

double Couplings(const Architecture& a, const FitResult&) {
  return static_cast<double>(a.couplings);
}
double GapOf(const Architecture&, const FitResult& fit) { return Gap(fit); }
double Share(const Architecture&, const FitResult& fit) {
  return 100 * MeasureOf(fit, kProposalEss);
}
double SecondsOf(const Architecture&, const FitResult& fit) { return fit.seconds; }

struct PanelPlan {
  const char *x_label, *y_label;
  Value x, y;
};

constexpr PanelPlan kPanels[] = {
    {"couplings", "gap, nats", Couplings, GapOf},
    {"couplings", "effective inner samples, %", Couplings, Share},
    {"couplings", "seconds", Couplings, SecondsOf},
    {"seconds", "gap, nats", SecondsOf, GapOf},
};

std::vector<Curve> CurvesOf(const std::vector<Architecture>& all, const std::string& target,
                            const PanelPlan& panel) {
  std::vector<Curve> curves;
  for (const Architecture& a : all) {
    if (a.target != target) continue;
    for (size_t i = 0; i < a.fits.size(); ++i) {
      if (i == curves.size()) {
        curves.push_back({absl::StrCat("seed ", a.fits[i].key.seed), {}, SeriesColor(i)});
      }
      curves[i].points.emplace_back(panel.x(a, a.fits[i]), panel.y(a, a.fits[i]));
    }
  }
  return curves;
}

}  // namespace

absl::Status DrawArchitecture(const std::vector<Architecture>& architectures,
                              const std::filesystem::path& folder) {
  std::vector<std::string> targets;
  for (const Architecture& a : architectures) {
    if (std::find(targets.begin(), targets.end(), a.target) == targets.end()) {
      targets.push_back(a.target);
    }
  }
  // In pixels.
  constexpr double kWidth = 1680, kRow = 350;
  const double height = 70 + kRow * static_cast<double>(targets.size());
  Picture picture(static_cast<int>(kWidth), static_cast<int>(height));
  picture.Title("Coupling layers of the proposal");
  for (size_t t = 0; t < targets.size(); ++t) {
    const double bottom = 60 + kRow * static_cast<double>(targets.size() - 1 - t);
    for (size_t p = 0; p < std::size(kPanels); ++p) {
      const double left = 85 + 415 * static_cast<double>(p);
      picture.BeginPanel(
          {left / kWidth, (left + 315) / kWidth, bottom / height, (bottom + 250) / height},
          p == 0 ? targets[t] : "", kPanels[p].x_label, kPanels[p].y_label);
      DrawCurves(
          CurvesOf(architectures, targets[t], kPanels[p]),
          {.log_x = false,
           .log_y = false,
           .key = t == 0 && p == 0 ? "at screen 0.985,0.985 right top horizontal maxrows 1" : "",
           .nothing = "no fit has it"},
          absl::StrCat(t, "_", p), &picture);
    }
  }
  return picture.Draw(folder, "architecture");
}

}  // namespace aisivi::experiments
