#include "client/experiments/logistic_picture.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/density_grid.h"
#include "client/cli/plot_page.h"
#include "client/experiments/picture.h"

namespace aisivi::experiments {
namespace {

constexpr int kMarginals = 6, kPoints = 200;
constexpr int kPaired = 4, kPairPoints = 80;
constexpr double kShare = 0.95;  // of the draws, within a contour

// Panels in rows, in pixels of a page of that many columns.
struct Grid {
  size_t columns;
  double width, height, step_x, step_y;

  cli::Panel Place(size_t p, size_t count) const {
    const size_t rows = (count + columns - 1) / columns, row = p / columns;
    const double left = 70 + step_x * static_cast<double>(p % columns);
    const double bottom = 60 + step_y * static_cast<double>(rows - 1 - row);
    return {left / width, (left + step_x - 80) / width, bottom / height,
            (bottom + step_y - 95) / height};
  }
};

Grid GridFor(size_t count, size_t columns, double step_x, double step_y) {
  const size_t rows = std::max<size_t>(1, (count + columns - 1) / columns);
  return {columns, 20 + step_x * static_cast<double>(columns),
          70 + step_y * static_cast<double>(rows), step_x, step_y};
}

void AddDensity(const std::string& name, const Eigen::VectorXd& values, const cli::Axis& axis,
                Picture* picture) {
  const Eigen::VectorXd density = cli::Density(values, axis, kPoints);
  std::vector<std::vector<double>> rows;
  for (int i = 0; i < kPoints; ++i) {
    rows.push_back({axis.min + (axis.max - axis.min) * i / (kPoints - 1), density[i]});
  }
  picture->AddData(name, rows);
}

void MarginalPanel(const std::vector<DrawsOfFit>& fits,
                   const std::optional<Eigen::MatrixXd>& reference, int d, bool legend,
                   Picture* picture) {
  const cli::Axis axis = cli::AxisFor(reference.has_value() ? reference->row(d) : fits[0].z.row(d));
  std::vector<std::string> plots;
  for (size_t f = 0; f < fits.size(); ++f) {
    const std::string name = absl::StrCat("density_", d, "_", f);
    AddDensity(name, fits[f].z.row(d), axis, picture);
    plots.push_back(absl::StrFormat("$%s using 1:2 with lines lw 1.5 lc rgb '%s' title %s", name,
                                    SeriesColor(f), cli::GnuplotString(fits[f].title)));
  }
  if (reference.has_value()) {
    const std::string name = absl::StrCat("density_", d, "_reference");
    AddDensity(name, reference->row(d), axis, picture);
    plots.push_back(absl::StrFormat(
        "$%s using 1:2 with lines lw 2 dt 2 lc rgb '#000000' title 'reference draws'", name));
  }
  if (legend) picture->Add("set key at screen 0.985,0.99 right top vertical maxrows 3\n");
  picture->Add(absl::StrFormat("set xrange [%.9g:%.9g]; set yrange [0:*]\nplot %s\n", axis.min,
                               axis.max, absl::StrJoin(plots, ", ")));
}

// $contour_NAME: around the densest part of the draws.
void AddContour(const std::string& name, const Eigen::MatrixXd& z, int i, int j, const cli::Axis& x,
                const cli::Axis& y, Picture* picture) {
  const Eigen::MatrixXd density = cli::Density2(z.row(i), z.row(j), x, y, kPairPoints);
  picture->AddGrid("pair_" + name, x, y, density);
  picture->Add(absl::StrFormat(
      "unset surface; set contour base; set cntrparam levels discrete %.9g\n"
      "set xrange [*:*]; set yrange [*:*]\nset table $contour_%s\nsplot $pair_%s using 1:2:3\n"
      "unset table; unset contour; set surface\n",
      cli::HighestDensityLevel(density, kShare), name, name));
}

void PairPanel(const std::vector<DrawsOfFit>& fits, const std::optional<Eigen::MatrixXd>& reference,
               int i, int j, bool legend, Picture* picture) {
  const Eigen::MatrixXd& points = reference.has_value() ? *reference : fits[0].z;
  const cli::Axis x = cli::AxisFor(points.row(i)), y = cli::AxisFor(points.row(j));
  const std::string id = absl::StrCat(i, "_", j);
  std::vector<std::vector<double>> rows;
  for (Eigen::Index n = 0; n < points.cols(); ++n) rows.push_back({points(i, n), points(j, n)});
  picture->AddData("points_" + id, rows);
  std::vector<std::string> plots = {absl::StrFormat(
      "$points_%s using 1:2 with points pt 7 ps 0.25 lc rgb '#9aa5b1' title %s", id,
      cli::GnuplotString(reference.has_value() ? "reference draws"
                                               : absl::StrCat("draws of ", fits[0].title)))};
  for (size_t f = 0; f < fits.size(); ++f) {
    const std::string name = absl::StrCat(id, "_", f);
    AddContour(name, fits[f].z, i, j, x, y, picture);
    plots.push_back(absl::StrFormat("$contour_%s using 1:2 with lines lw 1.4 lc rgb '%s' title %s",
                                    name, SeriesColor(f), cli::GnuplotString(fits[f].title)));
  }
  if (legend) picture->Add("set key at screen 0.985,0.995 right top vertical maxrows 3\n");
  picture->Add(absl::StrFormat("set xrange [%.9g:%.9g]; set yrange [%.9g:%.9g]\nplot %s\n", x.min,
                               x.max, y.min, y.max, absl::StrJoin(plots, ", ")));
}

std::vector<std::vector<double>> CorrelationPairs(const Eigen::MatrixXd& reference,
                                                  const Eigen::MatrixXd& z) {
  std::vector<std::vector<double>> pairs;
  for (Eigen::Index i = 0; i < z.rows(); ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      pairs.push_back({cli::Correlation(reference.row(i), reference.row(j)),
                       cli::Correlation(z.row(i), z.row(j))});
    }
  }
  return pairs;
}

double RootMeanSquare(const std::vector<std::vector<double>>& pairs) {
  double sum = 0;
  for (const std::vector<double>& pair : pairs) sum += std::pow(pair[0] - pair[1], 2);
  return std::sqrt(sum / static_cast<double>(std::max<size_t>(pairs.size(), 1)));
}

}  // namespace

absl::Status DrawMarginals(const std::vector<DrawsOfFit>& fits,
                           const std::optional<Eigen::MatrixXd>& reference,
                           const std::filesystem::path& folder) {
  Picture page(1400, 760);
  if (fits.empty()) {
    page.BeginPanel({0.05, 0.98, 0.1, 0.9}, "Marginal densities", "coefficient", "density");
    page.Nothing("no fit succeeded");
    return page.Draw(folder, "logistic_marginals");
  }
  const std::vector<int> chosen =
      cli::ChooseCoordinates(reference.has_value() ? *reference : fits[0].z, kMarginals);
  const Grid grid = GridFor(chosen.size(), 3, 460, 340);
  Picture picture(static_cast<int>(grid.width), static_cast<int>(grid.height));
  picture.Title("Marginal densities");
  for (size_t p = 0; p < chosen.size(); ++p) {
    picture.BeginPanel(grid.Place(p, chosen.size()), "",
                       absl::StrCat("coefficient ", chosen[p] + 1),
                       p % grid.columns == 0 ? "density" : "");
    MarginalPanel(fits, reference, chosen[p], p == 0, &picture);
  }
  return picture.Draw(folder, "logistic_marginals");
}

absl::Status DrawPairs(const std::vector<DrawsOfFit>& fits,
                       const std::optional<Eigen::MatrixXd>& reference,
                       const std::filesystem::path& folder) {
  std::vector<std::pair<int, int>> pairs;
  if (!fits.empty()) {
    const std::vector<int> chosen =
        cli::ChooseCoordinates(reference.has_value() ? *reference : fits[0].z, kPaired);
    for (size_t b = 1; b < chosen.size(); ++b) {
      for (size_t a = 0; a < b; ++a) pairs.emplace_back(chosen[a], chosen[b]);
    }
  }
  const Grid grid = GridFor(std::max<size_t>(pairs.size(), 1), 3, 460, 400);
  Picture picture(static_cast<int>(grid.width), static_cast<int>(grid.height));
  picture.Title("Pairs: contours of 95 %");
  for (size_t p = 0; p < pairs.size(); ++p) {
    const auto [i, j] = pairs[p];
    picture.BeginPanel(grid.Place(p, pairs.size()), "", absl::StrCat("coefficient ", i + 1),
                       absl::StrCat("coefficient ", j + 1));
    PairPanel(fits, reference, i, j, p == 0, &picture);
  }
  if (pairs.empty()) {
    picture.BeginPanel({0.05, 0.98, 0.1, 0.9}, "", "coefficient", "coefficient");
    picture.Nothing(fits.empty() ? "no fit succeeded" : "one coefficient only");
  }
  return picture.Draw(folder, "logistic_pairs");
}

absl::Status DrawCorrelations(const std::vector<DrawsOfFit>& fits, const Eigen::MatrixXd& reference,
                              const std::filesystem::path& folder) {
  const Grid grid = GridFor(fits.size(), 4, 370, 380);
  Picture picture(static_cast<int>(grid.width), static_cast<int>(grid.height));
  picture.Title("Correlations of all pairs of coefficients");
  for (size_t f = 0; f < fits.size(); ++f) {
    const std::vector<std::vector<double>> pairs = CorrelationPairs(reference, fits[f].z);
    const std::string name = absl::StrCat("pairs_", f);
    picture.BeginPanel(
        grid.Place(f, fits.size()),
        absl::StrFormat("%s: differ by %.3f (rms)", fits[f].title, RootMeanSquare(pairs)),
        "reference draws", f % grid.columns == 0 ? "fit" : "");
    if (pairs.empty()) {
      picture.Nothing("one coefficient only");
      continue;
    }
    picture.AddData(name, pairs);
    if (f == 0) picture.Add("set key at screen 0.985,0.99 right top horizontal maxrows 1\n");
    picture.Add(absl::StrFormat(
        "set xrange [-1:1]; set yrange [-1:1]; set xtics 0.5; set ytics 0.5\n"
        "plot x with lines dt 2 lc rgb '#9aa5b1' title 'alike', $%s using 1:2 with points pt 7 ps "
        "0.4 lc rgb '%s' title 'a pair of coefficients'\n",
        name, SeriesColor(0)));
  }
  if (fits.empty()) {
    picture.BeginPanel({0.05, 0.98, 0.15, 0.85}, "", "reference draws", "fit");
    picture.Nothing("no fit succeeded");
  }
  return picture.Draw(folder, "logistic_correlations");
}

}  // namespace aisivi::experiments
