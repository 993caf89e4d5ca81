#include "client/experiments/dimension_picture.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/experiments/curves.h"
#include "client/experiments/picture.h"

namespace aisivi::experiments {
namespace {

std::string FromWhom(const std::string& source) {
  return source == "prior" ? "from the prior (BSIVI)" : "from the proposal (AISIVI)";
}

std::vector<Curve> NeedCurves(const std::vector<NeedSeries>& needs, const std::string& target) {
  std::vector<Curve> curves, lines;
  for (const NeedSeries& series : needs) {
    if (series.target != target) continue;
    const std::string color = SeriesColor(series.source == "prior" ? 1 : 0);
    Curve curve{FromWhom(series.source), {}, color};
    // One entry of the legend for both.
    Curve line{lines.empty() ? "least squares" : "", {}, color, true};
    for (size_t i = 0; i < series.needed.size(); ++i) {
      if (!std::isfinite(series.needed[i])) continue;
      const double d = series.dimensions[i];
      curve.points.emplace_back(d, series.needed[i]);
      line.points.emplace_back(d, std::exp(series.line.intercept + series.line.slope * d));
    }
    curves.push_back(std::move(curve));
    lines.push_back(std::move(line));
  }
  curves.insert(curves.end(), lines.begin(), lines.end());
  return curves;
}

std::vector<Curve> ErrorCurves(const std::vector<DimensionRows>& rows, const std::string& target,
                               const std::string& source) {
  std::vector<Curve> curves;
  Curve enough{absl::StrCat("enough: ", kEnough), {}, "#52606d", true};
  for (const DimensionRows& r : rows) {
    if (r.target != target) continue;
    Curve curve{absl::StrCat("D = ", r.dimension), {}, SeriesColor(curves.size())};
    for (const ScoreRow& row : RowsFrom(r.rows, source)) {
      if (row.errors.Mse() <= kRounding) continue;
      curve.points.emplace_back(static_cast<double>(row.k), row.errors.Mse());
      enough.points.emplace_back(static_cast<double>(row.k), kEnough);
    }
    curves.push_back(std::move(curve));
  }
  std::sort(enough.points.begin(), enough.points.end());
  curves.push_back(std::move(enough));
  return curves;
}

}  // namespace

absl::Status DrawDimension(const std::vector<DimensionRows>& rows,
                           const std::vector<NeedSeries>& needs,
                           const std::filesystem::path& folder) {
  std::vector<std::string> targets;
  for (const NeedSeries& series : needs) {
    if (series.source == "prior") targets.push_back(series.target);
  }
  // In pixels.
  constexpr double kWidth = 1730, kRow = 430, kPanel = 310;
  const double height = 60 + kRow * static_cast<double>(targets.size());
  Picture picture(static_cast<int>(kWidth), static_cast<int>(height));
  picture.Title("Inner samples that the score needs, against the dimension");
  for (size_t t = 0; t < targets.size(); ++t) {
    const double bottom = 60 + kRow * static_cast<double>(targets.size() - 1 - t);
    const auto place = [&](int column) {
      const double left = 80 + 545 * column;
      return cli::Panel{left / kWidth, (left + 370) / kWidth, bottom / height,
                        (bottom + kPanel) / height};
    };
    const std::string id = absl::StrCat(t);
    picture.BeginPanel(place(0), targets[t], "D, dimensions", "k needed");
    DrawCurves(NeedCurves(needs, targets[t]),
               {.log_x = false, .key = "center right", .nothing = "no k was enough"}, id + "_0",
               &picture);
    for (const char* source : {"proposal", "prior"}) {
      const bool prior = std::string(source) == "prior";
      picture.BeginPanel(place(prior ? 2 : 1), absl::StrCat(targets[t], ", ", FromWhom(source)),
                         "k, inner samples", "error / mean square of the score");
      DrawCurves(ErrorCurves(rows, targets[t], source),
                 {.key = prior ? "outside right top" : "",
                  .nothing = "exact: no inner samples are needed"},
                 id + (prior ? "_2" : "_1"), &picture);
    }
  }
  return picture.Draw(folder, "dimension");
}

}  // namespace aisivi::experiments
