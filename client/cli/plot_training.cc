#include "client/cli/plot_training.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

struct Curve {
  std::vector<double> seconds, values;
};

template <typename Has, typename Get>
Curve Collect(const v1::TrainingHistory& history, Has has, Get get) {
  Curve curve;
  for (const v1::FitProgress& report : history.reports()) {
    if (!(report.*has)() || !std::isfinite((report.*get)())) continue;
    curve.seconds.push_back(ToSeconds(report.elapsed()));
    curve.values.push_back((report.*get)());
  }
  return curve;
}

std::string Data(const Curve& curve, double factor) {
  std::string data;
  for (size_t i = 0; i < curve.values.size(); ++i) {
    absl::StrAppendFormat(&data, "%.9g %.9g\n", curve.seconds[i], factor * curve.values[i]);
  }
  return data;
}

// The first steps of a fit can be far below the rest and would flatten the picture.
std::string ElboRange(const Curve& curve, const v1::Fit& fit) {
  std::vector<double> sorted = curve.values;
  if (fit.evidence().has_elbo_lower()) sorted.push_back(fit.evidence().elbo_lower());
  std::sort(sorted.begin(), sorted.end());
  const double low = sorted[sorted.size() / 20], high = sorted.back();
  const double margin = std::max(0.08 * (high - low), 1e-3 * std::max(1.0, std::abs(high)));
  return absl::StrFormat("set yrange [%.9g:%.9g]\n", low - margin, high + margin);
}

struct Spec {
  std::string name, title;
  double factor = 1;
  std::string settings;  // before the plot
  std::string extra;     // after the curve
};

std::string OnePanel(const Spec& spec, const Curve& curve, const Panel& place, double end,
                     bool lowest, const WriteData& write_data) {
  std::string script = absl::StrFormat(
      "set lmargin at screen %.5f; set rmargin at screen %.5f\n"
      "set bmargin at screen %.5f; set tmargin at screen %.5f\n"
      "set border 3; set grid ytics lc rgb '#e4e7eb' lt 1; unset logscale; unset ytics; unset "
      "xtics\n"
      "set ytics nomirror auto font ',9'; set xtics nomirror auto font ',9'; set format y '%%g'\n"
      "set xrange [0:%.9g]; set yrange [*:*]; set ylabel ''; set xlabel '%s' font ',10'\n"
      "set label 1 '%s' at graph 0,1.07 font 'DejaVu Sans Bold,11' textcolor rgb '#1f2933'\n",
      place.left, place.right, place.bottom, place.top, end, lowest ? "seconds" : "", spec.title);
  if (curve.values.empty()) {
    absl::StrAppend(&script, "set yrange [0:1]; unset ytics\n",
                    "set label 2 'no record' at graph 0.5,0.5 center textcolor rgb '#9aa5b1'\n",
                    "plot NaN\nunset label 2\n");
  } else {
    const std::string file = write_data(spec.name, Data(curve, spec.factor));
    absl::StrAppend(&script, spec.settings, "plot ", file,
                    " using 1:2 with lines lc rgb '#0b5394' lw 1.6", spec.extra, "\n");
  }
  return script + "unset label 1; unset grid; unset logscale; set format y\n";
}

}  // namespace

std::string TrainingPanels(const v1::Fit& fit, const v1::TrainingHistory& history,
                           const Panel& region, const WriteData& write_data) {
  using P = v1::FitProgress;
  const Curve elbo = Collect(history, &P::has_elbo, &P::elbo);
  const Curve ess = Collect(history, &P::has_proposal_ess, &P::proposal_ess);
  const Curve residual = Collect(history, &P::has_score_residual, &P::score_residual);
  double end = 1e-3;
  for (const P& report : history.reports()) end = std::max(end, ToSeconds(report.elapsed()));

  Spec elbo_spec = {"elbo", "ELBO, nats"};
  if (!elbo.values.empty()) elbo_spec.settings = ElboRange(elbo, fit);
  if (fit.evidence().has_elbo_lower()) {
    elbo_spec.extra = absl::StrFormat(", %.9g with lines lc rgb '#e69138' lw 1.4 dt 2",
                                      fit.evidence().elbo_lower());
    elbo_spec.title += " (dashed: the bound of the result)";
  }
  const Spec ess_spec = {"ess", "Effective share of the inner samples, %", 100,
                         "set yrange [0:105]\n", ""};
  const bool positive = std::all_of(residual.values.begin(), residual.values.end(),
                                    [](double value) { return value > 0; });
  const Spec residual_spec = {"residual", "Score residual E‖∇ log q − ∇ log p‖²", 1,
                              positive ? "set logscale y\nset format y '%g'\n" : "", ""};

  const double gap = 0.085, height = (region.top - region.bottom - 2 * gap - 0.03) / 3;
  const auto place = [&](int row) {
    const double bottom = region.bottom + (2 - row) * (height + gap);
    return Panel{region.left, region.right, bottom, bottom + height};
  };
  return absl::StrCat(OnePanel(elbo_spec, elbo, place(0), end, false, write_data),
                      OnePanel(ess_spec, ess, place(1), end, false, write_data),
                      OnePanel(residual_spec, residual, place(2), end, true, write_data));
}

}  // namespace aisivi::cli
