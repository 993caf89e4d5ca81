#include "client/experiments/significance_picture.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/plot_page.h"
#include "client/experiments/picture.h"

namespace aisivi::experiments {
namespace {

using Rows = std::vector<std::vector<double>>;

void SeedPanel(const PairedQuantity& q, const std::vector<std::string>& methods,
               const std::string& id, Picture* picture) {
  if (q.seeds.empty()) return picture->Nothing("no seed has it of both");
  Rows rows;
  for (size_t i = 0; i < q.seeds.size(); ++i) {
    rows.push_back({static_cast<double>(q.seeds[i]), q.first[i], q.second[i]});
  }
  picture->AddData("seeds_" + id, rows);
  // Whole seeds only on the axis, and room around them.
  picture->Add(absl::StrFormat(
      "set xtics 1; set offsets 0.5, 0.5, graph 0.08, graph 0.08\n"
      "set grid ytics lc rgb '#e4e7eb' lt 1\nset key at graph 1,1.16 right top horizontal\n"
      "plot $seeds_%s using 1:2:(0):($3-$2) with vectors nohead lc rgb '#9aa5b1' notitle, "
      "$seeds_%s using 1:2 with points pt 7 ps 0.9 lc rgb '%s' title %s, "
      "$seeds_%s using 1:3 with points pt 5 ps 0.9 lc rgb '%s' title %s\nset offsets 0, 0, 0, 0\n",
      id, id, SeriesColor(0), cli::GnuplotString(methods[0]), id, SeriesColor(1),
      cli::GnuplotString(methods[1])));
}

void DifferencePanel(const PairedQuantity& q, const std::string& id, Picture* picture) {
  if (q.seeds.empty()) return picture->Nothing("no seed has it of both");
  Rows differences, intervals;
  for (size_t i = 0; i < q.seeds.size(); ++i) {
    differences.push_back({0, q.first[i] - q.second[i]});
  }
  const auto add = [&](double at, double middle, const Interval& interval) {
    if (std::isfinite(interval.low) && std::isfinite(interval.high)) {
      intervals.push_back({at, middle, interval.low, interval.high});
    }
  };
  add(1, q.t.mean, q.t.interval);
  add(2, q.rank.median, q.rank.interval);
  picture->AddData("differences_" + id, differences);
  // A block must not be empty.
  if (intervals.empty()) intervals.push_back(std::vector<double>(4, kNotMeasured));
  picture->AddData("intervals_" + id, intervals);
  picture->Add(absl::StrFormat(
      "set xrange [-0.6:2.6]; set xtics nomirror ('seeds' 0, 'mean, t' 1, 'median, rank' 2) font "
      "',9'\nset offsets 0, 0, graph 0.08, graph 0.08\nset grid ytics lc rgb '#e4e7eb' lt 1\n"
      "set key at graph 1,1.16 right top horizontal\n"
      "plot 0 with lines lc rgb '#52606d' dt 2 title 'no difference', $differences_%s using 1:2 "
      "with points pt 6 ps 0.9 lc rgb '#52606d' title 'a seed', $intervals_%s using 1:2:3:4 with "
      "yerrorbars pt 7 ps 1 lw 2 lc rgb '%s' title '95 %% interval'\nset offsets 0, 0, 0, 0\n",
      id, id, SeriesColor(2)));
}

}  // namespace

absl::Status DrawSignificance(const std::vector<std::string>& methods,
                              const std::vector<PairedQuantity>& quantities,
                              const std::filesystem::path& folder) {
  Picture picture(1200, 60 + 390 * static_cast<int>(quantities.size()));
  picture.Title(absl::StrCat(methods[0], " and ", methods[1], ", seed by seed"));
  const double step = 0.93 / static_cast<double>(quantities.size());
  for (size_t i = 0; i < quantities.size(); ++i) {
    const PairedQuantity& q = quantities[i];
    const double bottom = 0.07 + step * static_cast<double>(quantities.size() - 1 - i);
    const double top = bottom + step - 0.13;
    picture.BeginPanel({0.08, 0.54, bottom, top}, "", "seed", q.name + ", nats");
    SeedPanel(q, methods, absl::StrCat(i), &picture);
    picture.BeginPanel({0.64, 0.98, bottom, top}, "", "",
                       absl::StrCat(methods[0], " − ", methods[1], ", nats"));
    DifferencePanel(q, absl::StrCat(i), &picture);
  }
  return picture.Draw(folder, "significance");
}

}  // namespace aisivi::experiments
