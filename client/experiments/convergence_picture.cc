#include "client/experiments/convergence_picture.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/plot_page.h"
#include "client/experiments/picture.h"

namespace aisivi::experiments {
namespace {

using P = v1::FitProgress;

struct Metric {
  const char* title;
  bool (P::*has)() const;
  double (P::*get)() const;
  double factor;  // 100 for shares, in per cent
  bool logarithmic;
};

constexpr Metric kMetrics[] = {
    {"loss of the family, nats", &P::has_loss, &P::loss, 1, false},
    {"loss of the flow, nats", &P::has_flow_loss, &P::flow_loss, 1, false},
    {"effective inner samples, %", &P::has_proposal_ess, &P::proposal_ess, 100, false},
    {"score residual", &P::has_score_residual, &P::score_residual, 1, true},
    {"running ELBO, nats", &P::has_elbo, &P::elbo, 1, false},
};

std::vector<std::vector<double>> Curve(const v1::TrainingHistory& history, const Metric& metric) {
  std::vector<std::vector<double>> points;
  for (const P& report : history.reports()) {
    if (report.phase() != P::PHASE_TRAINING || !(report.*metric.has)()) continue;
    const double value = metric.factor * (report.*metric.get)();
    if (!std::isfinite(value) || (metric.logarithmic && value <= 0)) continue;
    points.push_back({static_cast<double>(report.iteration()), value});
  }
  return points;
}

// All but the outermost values, which the first steps of a fit throw far out.
std::string Range(std::vector<double> values, const Metric& metric) {
  if (metric.factor == 100) return "set yrange [0:105]\n";
  std::sort(values.begin(), values.end());
  const size_t cut = values.size() * 3 / 100;
  const double low = values[cut], high = values[values.size() - 1 - cut];
  if (metric.logarithmic) return absl::StrFormat("set yrange [%.6g:%.6g]\n", low / 2, high * 2);
  const double margin = std::max(0.12 * (high - low), 1e-4 * std::max(1.0, std::abs(high)));
  return absl::StrFormat("set yrange [%.6g:%.6g]\n", low - margin, high + margin);
}

// The curves of one metric, and where each fit ended.
void MetricPanel(const std::vector<const TrainedFit*>& fits, const Metric& metric,
                 const std::string& id, bool legend, Picture* picture) {
  std::vector<std::string> plots;
  std::vector<double> all;
  double end = 1;
  for (size_t f = 0; f < fits.size(); ++f) {
    const std::vector<std::vector<double>> curve = Curve(fits[f]->history, metric);
    const LastIteration last = FindLastIteration(fits[f]->history);
    end = std::max(end, static_cast<double>(last.iteration));
    if (curve.empty()) continue;
    for (const std::vector<double>& point : curve) all.push_back(point[1]);
    const std::string name = absl::StrCat("curve_", id, "_", f), color = SeriesColor(f);
    picture->AddData(name, curve);
    picture->Add(absl::StrFormat(
        "set arrow from %d, graph 0 to %d, graph 1 nohead lw 1.5 dt 2 lc rgb '%s'\n",
        last.iteration, last.iteration, color));
    plots.push_back(absl::StrFormat("$%s using 1:2 with lines lw 1.3 lc rgb '%s' title %s", name,
                                    color, cli::GnuplotString(fits[f]->result.key.method)));
  }
  if (plots.empty()) {
    picture->Nothing("no method here reports it");
    return;
  }
  if (legend) picture->Add("set key at screen 0.985,0.99 right top horizontal maxrows 1\n");
  plots.emplace_back("NaN with lines lw 1.5 dt 2 lc rgb '#52606d' title 'end of training'");
  picture->Add(absl::StrCat(metric.logarithmic ? "set logscale y; set format y '%g'\n" : "",
                            Range(std::move(all), metric), "set grid ytics lc rgb '#e4e7eb' lt 1\n",
                            absl::StrFormat("set xrange [0:%.6g]\nplot ", 1.03 * end),
                            absl::StrJoin(plots, ", "), "\n"));
}

std::vector<const TrainedFit*> Select(const std::vector<TrainedFit>& fits,
                                      const std::string& target, bool presets) {
  std::vector<const TrainedFit*> selected;
  for (const TrainedFit& fit : fits) {
    const FitKey& key = fit.result.key;
    if (key.target == target && key.seed == 1 && key.preset.empty() != presets) {
      selected.push_back(&fit);
    }
  }
  return selected;
}

}  // namespace

absl::Status DrawConvergence(const std::string& target, const std::vector<TrainedFit>& fits,
                             const std::filesystem::path& folder) {
  std::vector<std::pair<std::string, std::vector<const TrainedFit*>>> columns;
  for (const bool presets : {true, false}) {
    std::vector<const TrainedFit*> selected = Select(fits, target, presets);
    if (!selected.empty()) {
      columns.emplace_back(presets ? "authors' presets" : "defaults", std::move(selected));
    }
  }
  constexpr size_t kRows = std::size(kMetrics);
  // In pixels: a column with its labels on the left, a row.
  constexpr double kColumn = 680, kLabels = 85, kRow = 235, kPanel = 180;
  const double width = 20 + kColumn * static_cast<double>(columns.size());
  constexpr double kHeight = 95 + kRow * kRows;
  Picture picture(static_cast<int>(width), static_cast<int>(kHeight));
  picture.Title("Training on " + target);
  for (size_t c = 0; c < columns.size(); ++c) {
    for (size_t r = 0; r < kRows; ++r) {
      const double left = kColumn * static_cast<double>(c) + kLabels;
      const double bottom = 50 + kRow * static_cast<double>(kRows - 1 - r);
      picture.BeginPanel({left / width, (left + kColumn - kLabels) / width, bottom / kHeight,
                          (bottom + kPanel) / kHeight},
                         r == 0 ? columns[c].first : "", r + 1 == kRows ? "iteration" : "",
                         kMetrics[r].title);
      MetricPanel(columns[c].second, kMetrics[r], absl::StrCat(c, "_", r), c == 0 && r == 0,
                  &picture);
    }
  }
  return picture.Draw(folder, "convergence_" + target);
}

}  // namespace aisivi::experiments
