#include "client/experiments/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/plot_page.h"

namespace aisivi::experiments {
namespace {

struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -low;

  void Add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Over less than this a logarithmic axis would have one label, or none.
  bool NeedsLogarithm() const { return high > 30 * low; }
  // With room on both sides.
  std::string Range(char axis, bool logarithmic) const {
    if (logarithmic) {
      const double room = std::max(1.3, std::pow(high / low, 0.06));
      return absl::StrFormat("set %crange [%.6g:%.6g]\n", axis, low / room, high * room);
    }
    const double room = std::max(0.06 * (high - low), 1e-3 * std::max(1e-9, std::abs(high)));
    return absl::StrFormat("set %crange [%.6g:%.6g]\n", axis, low - room, high + room);
  }
};

bool Shows(double value, bool logarithmic) {
  return std::isfinite(value) && (!logarithmic || value > 0);
}

std::vector<std::vector<double>> Shown(const Curve& curve, const CurveStyle& style) {
  std::vector<std::vector<double>> points;
  for (const auto& [x, y] : curve.points) {
    if (Shows(x, style.log_x) && Shows(y, style.log_y)) points.push_back({x, y});
  }
  return points;
}

std::string LineOf(const Curve& curve) {
  return curve.dashed ? absl::StrCat("lines dt 2 lw 1.3 lc rgb '", curve.color, "'")
                      : absl::StrCat("linespoints pt 7 ps 0.8 lw 1.6 lc rgb '", curve.color, "'");
}

}  // namespace

void DrawCurves(const std::vector<Curve>& curves, const CurveStyle& style, const std::string& id,
                Picture* picture) {
  Extent x, y;
  std::vector<std::string> plots;
  bool any = false;
  for (size_t c = 0; c < curves.size(); ++c) {
    const std::vector<std::vector<double>> points = Shown(curves[c], style);
    if (points.empty()) continue;
    any = any || !curves[c].dashed;
    for (const std::vector<double>& point : points) {
      x.Add(point[0]);
      if (!curves[c].dashed) y.Add(point[1]);
    }
    const std::string name = absl::StrCat("curve_", id, "_", c);
    picture->AddData(name, points);
    plots.push_back(absl::StrCat("$", name, " using 1:2 with ", LineOf(curves[c]), " title ",
                                 cli::GnuplotString(curves[c].title)));
  }
  if (!any) return picture->Nothing(style.nothing);
  const bool log_x = style.log_x && x.NeedsLogarithm(), log_y = style.log_y && y.NeedsLogarithm();
  if (log_x) picture->Add("set logscale x; set format x '%g'\n");
  if (log_y) picture->Add("set logscale y; set format y '%g'\n");
  if (!style.key.empty()) picture->Add(absl::StrCat("set key ", style.key, "\n"));
  picture->Add(absl::StrCat(x.Range('x', log_x), y.Range('y', log_y),
                            "set grid xtics ytics lc rgb '#e4e7eb' lt 1\nplot ",
                            absl::StrJoin(plots, ", "), "\n"));
}

}  // namespace aisivi::experiments
