#include "client/experiments/ablation_k_picture.h"

#include <cmath>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/experiments/curves.h"
#include "client/experiments/picture.h"

namespace aisivi::experiments {
namespace {

using Value = std::function<double(const ScoreRow&)>;

double KOf(const ScoreRow& row) { return static_cast<double>(row.k); }

struct PanelPlan {
  const char *x_label, *y_label, *nothing;
  Value x, y;
  int guide = 0;  // −1: the line 1/k; 1: the line k
  bool log_y = true;
};

std::vector<Curve> CurvesOf(const std::vector<ScoreRow>& rows, const PanelPlan& plan) {
  std::vector<Curve> curves;
  const char* const sources[] = {"proposal", "prior"};
  for (size_t s = 0; s < 2; ++s) {
    Curve curve{
        s == 0 ? "from the proposal (AISIVI)" : "from the prior (BSIVI)", {}, SeriesColor(s)};
    for (const ScoreRow& row : RowsFrom(rows, sources[s])) {
      curve.points.emplace_back(plan.x(row), plan.y(row));
    }
    curves.push_back(std::move(curve));
  }
  if (plan.guide == 0) return curves;
  // Through the first point of the first curve that there is something to see of.
  for (const Curve& curve : curves) {
    if (curve.points.empty() || !(curve.points[0].second > 0)) continue;
    const auto [first_k, first] = curve.points[0];
    Curve guide{plan.guide < 0 ? "1/k" : "k", {}, "#52606d", true};
    for (const auto& [k, ignored] : curve.points) {
      guide.points.emplace_back(k, plan.guide < 0 ? first * first_k / k : k);
    }
    curves.push_back(std::move(guide));
    break;
  }
  return curves;
}

std::vector<PanelPlan> Panels() {
  const auto variance = [](const ScoreRow& row) { return row.errors.variance; };
  const auto bias = [](const ScoreRow& row) {
    return row.errors.BiasShows() ? row.errors.bias_square : std::nan("");
  };
  const auto mse = [](const ScoreRow& row) { return row.errors.Mse(); };
  const auto ess = [](const ScoreRow& row) { return row.ess; };
  const auto seconds = [](const ScoreRow& row) { return row.seconds; };
  const auto memory = [](const ScoreRow& row) { return row.memory / (1 << 20); };
  return {
      {"k, inner samples", "variance / mean square of the score", "exact", KOf, variance, -1},
      {"k, inner samples", "squared bias, where it shows", "no bias beyond the noise", KOf, bias},
      {"k, inner samples", "effective inner samples (dashed: k)", "not measured", KOf, ess, 1},
      {"k, inner samples", "seconds a request", "not measured", KOf, seconds},
      {"k, inner samples", "resident set of the server, MB", "not measured", KOf, memory, 0, false},
      {"seconds a request", "mean square error", "exact", seconds, mse},
  };
}

}  // namespace

absl::Status DrawAblationK(const std::vector<ScoreRow>& rows, const std::filesystem::path& folder) {
  constexpr double kWidth = 1500, kHeight = 820;
  Picture picture(static_cast<int>(kWidth), static_cast<int>(kHeight));
  picture.Title("The estimate of the score against k");
  const std::vector<PanelPlan> panels = Panels();
  for (size_t p = 0; p < panels.size(); ++p) {
    const double left = (80 + 490 * static_cast<double>(p % 3)) / kWidth;
    const double bottom = (p < 3 ? 450 : 55) / kHeight;
    picture.BeginPanel({left, left + 390 / kWidth, bottom, bottom + 300 / kHeight}, "",
                       panels[p].x_label, panels[p].y_label);
    DrawCurves(CurvesOf(rows, panels[p]),
               {.log_y = panels[p].log_y,
                .key = p == 0 ? "at screen 0.985,0.985 right top horizontal maxrows 1" : "",
                .nothing = panels[p].nothing},
               absl::StrCat(p), &picture);
  }
  return picture.Draw(folder, "ablation_k");
}

}  // namespace aisivi::experiments
