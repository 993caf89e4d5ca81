#include "client/experiments/toy_picture.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/plot_page.h"
#include "client/experiments/histogram.h"
#include "client/experiments/picture.h"
#include "client/experiments/statistics.h"

namespace aisivi::experiments {
namespace {

constexpr int kGridPoints = 160;
constexpr char kPalette[] =
    "set palette defined (0 '#ffffff', 0.04 '#e9f2fb', 0.3 '#9fc5e8', 0.65 '#4a8cc9', 1 "
    "'#14477d')\n";

Eigen::MatrixXd TrueDensity(const ToyDensity& density) {
  const cli::Axis x = density.x_axis(), y = density.y_axis();
  const Eigen::VectorXd xs = Eigen::VectorXd::LinSpaced(kGridPoints, x.min, x.max);
  const Eigen::VectorXd ys = Eigen::VectorXd::LinSpaced(kGridPoints, y.min, y.max);
  Eigen::MatrixXd grid(kGridPoints, kGridPoints), points(2, kGridPoints);
  for (int j = 0; j < kGridPoints; ++j) {
    points.row(0) = xs.transpose();
    points.row(1).setConstant(ys[j]);
    grid.col(j) = density.LogDensity(points).array().exp().matrix();
  }
  return grid;
}

// $truth_R with its contours $half_R and $most_R.
void AddTruth(const ToyRow& row, size_t r, const Eigen::MatrixXd& truth, Picture* picture) {
  picture->AddGrid(absl::StrCat("truth_", r), row.density.x_axis(), row.density.y_axis(), truth);
  for (const auto& [name, share] : {std::pair{"half", 0.5}, std::pair{"most", 0.95}}) {
    picture->Add(absl::StrFormat(
        "unset surface; set contour base; set cntrparam levels discrete %.9g\n"
        "set xrange [*:*]; set yrange [*:*]\nset table $%s_%d\nsplot $truth_%d using 1:2:3\n"
        "unset table; unset contour; set surface\n",
        cli::HighestDensityLevel(truth, share), name, r, r));
  }
}

// Pages are laid out in pixels: a title above rows of panels.
constexpr double kTitle = 60, kLabels = 52, kRow = 330, kPanel = 240;

double PageHeight(size_t rows) { return kTitle + kRow * static_cast<double>(rows); }

cli::Panel Place(size_t row, size_t column, size_t rows, double left, double width, double gap) {
  const double bottom = kLabels + kRow * static_cast<double>(rows - 1 - row);
  const double from = left + static_cast<double>(column) * (width + gap);
  return {from, from + width, bottom / PageHeight(rows), (bottom + kPanel) / PageHeight(rows)};
}

// The image named `data` under the contours of the truth.
void DensityPanel(const ToyRow& row, size_t r, const std::string& data, double highest, bool legend,
                  bool scale, Picture* picture) {
  const cli::Axis x = row.density.x_axis(), y = row.density.y_axis();
  if (legend) picture->Add("set key at screen 0.985,0.99 right top vertical maxrows 2\n");
  if (scale) {
    picture->Add(
        "set colorbox; set cblabel 'density' font ',9' offset -0.5,0; set cbtics font ',8'\n");
  }
  picture->Add(absl::StrFormat(
      "set border 15\nset xrange [%.9g:%.9g]; set yrange [%.9g:%.9g]; set cbrange [0:%.9g]\n"
      "plot %s using 1:2:3 with image notitle, $half_%d using 1:2 with lines lc rgb '#b3261e' lw "
      "1.4 title 'true density: contour of 50 %%', $most_%d using 1:2 with lines lc "
      "rgb '#b3261e' lw 1.2 dt 2 title 'of 95 %%'\n",
      x.min, x.max, y.min, y.max, highest, data, r, r));
}

void DensityRow(const ToyRow& row, size_t r, size_t rows, Picture* picture) {
  const Eigen::MatrixXd truth = TrueDensity(row.density);
  const double highest = truth.maxCoeff();
  AddTruth(row, r, truth, picture);
  const auto begin = [&](size_t column, const std::string& title) {
    picture->BeginPanel(Place(r, column, rows, 0.04, 0.152, 0.03), title, "z₁",
                        column == 0 ? "z₂" : "");
  };
  begin(0, absl::StrCat(row.target, ": true density"));
  DensityPanel(row, r, absl::StrCat("$truth_", r), highest, r == 0, false, picture);
  for (size_t p = 0; p < row.panels.size(); ++p) {
    const ToyPanel& panel = row.panels[p];
    begin(p + 1, panel.title);
    if (panel.histogram.size() == 0) {
      picture->Nothing("the fit failed");
      continue;
    }
    const std::string name = absl::StrCat("histogram_", r, "_", p);
    picture->AddGrid(name, Centers(row.density.x_axis(), kHistogramBins),
                     Centers(row.density.y_axis(), kHistogramBins), panel.histogram);
    DensityPanel(row, r, "$" + name, highest, false, p + 1 == row.panels.size(), picture);
  }
}

// The series of one panel of divergences: a point per seed, a line at the median.
struct Series {
  std::vector<std::vector<double>> seeds, medians, published;
  std::vector<std::string> tics;
};

double OnScale(double value) { return std::max(value, 1e-4); }

Series Collect(const std::vector<ToySummary>& summaries, const std::string& target, bool forward) {
  Series series;
  double at = 0;
  for (const ToySummary& summary : summaries) {
    if (summary.target != target) continue;
    series.tics.push_back(absl::StrFormat("%s %g", cli::GnuplotString(Label(summary.variant)), at));
    const std::vector<double> values = Finite(forward ? summary.forward : summary.reverse);
    // Seeds side by side, where they would hide each other.
    for (size_t i = 0; i < values.size(); ++i) {
      const double shift =
          values.size() > 1
              ? 0.3 * (static_cast<double>(i) / static_cast<double>(values.size() - 1) - 0.5)
              : 0;
      series.seeds.push_back({at + shift, OnScale(values[i])});
    }
    if (!values.empty()) series.medians.push_back({at, OnScale(Median(values))});
    if (forward) series.published.push_back({at, summary.published});
    at += 1;
  }
  return series;
}

void DivergencePanel(const Series& series, const std::string& id, bool legend, Picture* picture) {
  if (series.seeds.empty() && series.published.empty()) {
    picture->Nothing("no fit succeeded");
    return;
  }
  // A block must not be empty.
  const auto add = [&](const std::string& name, std::vector<std::vector<double>> rows) {
    if (rows.empty()) rows.push_back({kNotMeasured, kNotMeasured});
    picture->AddData(name + id, rows);
  };
  add("seeds_", series.seeds);
  add("medians_", series.medians);
  if (legend) picture->Add("set key at screen 0.985,0.985 right top horizontal maxrows 1\n");
  picture->Add(absl::StrCat("set xtics nomirror (", absl::StrJoin(series.tics, ", "),
                            ") font ',8'\nset xrange [-0.6:", series.tics.size() - 0.4,
                            "]\nset logscale y; set yrange [8e-5:*]; set format y '%g'\n",
                            "set grid ytics lc rgb '#e4e7eb' lt 1\n"));
  std::string plot = absl::StrCat(
      "plot $seeds_", id, " using 1:2 with points pt 7 ps 0.7 lc rgb '#0072b2' title 'a seed', ",
      "$medians_", id, " using ($1-0.3):2:(0.6):(0) with vectors nohead lw 2 lc rgb '#14477d' ",
      "title 'median of the seeds'");
  if (!series.published.empty()) {
    add("published_", series.published);
    absl::StrAppend(&plot, ", $published_", id,
                    " using 1:2 with points pt 12 ps 1.6 lw 2 lc rgb '#d55e00' title 'published'");
  }
  picture->Add(plot + "\n");
}

}  // namespace

absl::Status DrawToyDensities(const std::vector<ToyRow>& rows,
                              const std::filesystem::path& folder) {
  Picture picture(1680, static_cast<int>(PageHeight(rows.size())));
  picture.Add(kPalette);
  picture.Title("True densities, and histograms of 100,000 draws");
  for (size_t r = 0; r < rows.size(); ++r) DensityRow(rows[r], r, rows.size(), &picture);
  return picture.Draw(folder, "toy");
}

absl::Status DrawToyDivergences(const std::vector<ToySummary>& summaries,
                                const std::filesystem::path& folder) {
  std::vector<std::string> targets;
  for (const ToySummary& summary : summaries) {
    if (targets.empty() || targets.back() != summary.target) targets.push_back(summary.target);
  }
  Picture picture(200 + 440 * static_cast<int>(std::max<size_t>(targets.size(), 2)),
                  static_cast<int>(PageHeight(2)));
  picture.Title("Divergence from the target, nats");
  const double width = 0.81 / static_cast<double>(targets.size());
  for (size_t t = 0; t < targets.size(); ++t) {
    for (const bool forward : {true, false}) {
      picture.BeginPanel(Place(forward ? 0 : 1, t, 2, 0.08, width, 0.05), targets[t],
                         t == 0 && !forward ? "all below 0.0001 is shown there" : "",
                         t > 0     ? ""
                         : forward ? "forward KL(p‖q)"
                                   : "reverse KL(q‖p)");
      DivergencePanel(Collect(summaries, targets[t], forward),
                      absl::StrCat(t, forward ? "_forward" : "_reverse"), t == 0 && forward,
                      &picture);
    }
  }
  return picture.Draw(folder, "toy_kl");
}

}  // namespace aisivi::experiments
