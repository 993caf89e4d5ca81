#include "client/experiments/toy.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/forward_kl.h"
#include "client/experiments/histogram.h"
#include "client/experiments/matrix_csv.h"
#include "client/experiments/toy_chunks.h"
#include "client/experiments/toy_density.h"
#include "client/experiments/toy_picture.h"
#include "client/experiments/toy_report.h"

namespace aisivi::experiments {
namespace {

constexpr uint64_t kExactSeed = 1;
constexpr int64_t kExactDraws = 10000;

std::filesystem::path HistogramFile(const Context& context, const FitKey& key) {
  return context.settings.out / absl::StrCat("histogram_", FileStem(key), ".csv");
}

int64_t Seeds(const Settings& settings) { return SeedCount(settings, 2, 10); }

std::vector<std::string> Targets(const Settings& settings) {
  return settings.target.empty() ? ToyNames() : std::vector<std::string>{settings.target};
}

// The fits by all variants: by target, variant, seed. The first seed of each also leaves its
// histogram.
std::vector<PlannedFit> Plan(const Context& context) {
  std::vector<PlannedFit> plan;
  for (const std::string& target : Targets(context.settings)) {
    for (const Variant& variant : Variants()) {
      for (int64_t seed = 1; seed <= Seeds(context.settings); ++seed) {
        PlannedFit fit;
        fit.key = KeyOf(variant, target, static_cast<uint64_t>(seed), context.settings);
        fit.title = absl::StrCat(target, ", ", Title(variant), ", seed ", seed);
        if (seed == 1) fit.files = {HistogramFile(context, fit.key)};
        plan.push_back(std::move(fit));
      }
    }
  }
  return plan;
}

absl::Status SaveHistogram(const Client& client, const v1::Fit& fit, const ToyDensity& density,
                           const std::filesystem::path& file) {
  const absl::StatusOr<Draws> draws = client.GetDraws(
      fit.name(), {.count = kHistogramDraws, .seed = 1, .densities = false, .unconstrained = true});
  if (!draws.ok()) return draws.status();
  return WriteMatrix(file,
                     Histogram2(draws->z, density.x_axis(), density.y_axis(), kHistogramBins));
}

absl::Status MeasureToy(const Context& context, const PlannedFit& plan, const v1::Fit& fit,
                        FitResult* result) {
  const absl::StatusOr<ToyDensity> density = ToyDensity::Find(plan.key.target);
  if (!density.ok()) return density.status();
  const Eigen::MatrixXd exact = density->Draw(kExactDraws, kExactSeed);
  const absl::StatusOr<KlEstimate> kl =
      ForwardKl(context.client, fit, exact, density->LogDensity(exact));
  if (!kl.ok()) return kl.status();
  result->measures[kForwardKl] = kl->value;
  result->measures[kForwardKlError] = kl->standard_error;
  result->measures[kForwardKlTrimmed] = kl->trimmed;
  for (const std::filesystem::path& file : plan.files) {
    const absl::Status saved = SaveHistogram(context.client, fit, *density, file);
    if (!saved.ok()) return saved;
  }
  return absl::OkStatus();
}

// The rows of the picture: what the first seed of every variant left.
absl::StatusOr<std::vector<ToyRow>> PictureRows(const Context& context,
                                                const std::vector<FitResult>& results) {
  std::vector<ToyRow> rows;
  for (const FitResult& result : results) {
    const FitKey& key = result.key;
    if (key.seed != 1) continue;
    if (rows.empty() || rows.back().target != key.target) {
      absl::StatusOr<ToyDensity> density = ToyDensity::Find(key.target);
      if (!density.ok()) return density.status();
      rows.push_back({key.target, *std::move(density), {}});
    }
    ToyPanel panel = {Title(VariantOf(key)), {}};
    if (result.state == "SUCCEEDED") {
      absl::StatusOr<Eigen::MatrixXd> histogram =
          ReadMatrix(HistogramFile(context, key), kHistogramBins, kHistogramBins);
      if (!histogram.ok()) return histogram.status();
      panel.histogram = *std::move(histogram);
    }
    rows.back().panels.push_back(std::move(panel));
  }
  return rows;
}

}  // namespace

absl::Status RunToy(const Context& context) {
  for (const std::string& target : Targets(context.settings)) {
    const absl::Status known = ToyDensity::Find(target).status();
    if (!known.ok()) return absl::InvalidArgumentError(absl::StrCat("--", known.message()));
  }
  const absl::StatusOr<std::unique_ptr<ResultFile>> file =
      ResultFile::Open(context.settings.out / "results.csv", "toy",
                       {kForwardKl, kForwardKlError, kForwardKlTrimmed});
  if (!file.ok()) return file.status();
  FitRunner runner(context.client, file->get(), context.stop, context.json);
  std::vector<PlannedFit> plan = Plan(context);
  const size_t methods = plan.size();
  for (PlannedFit& fit : PlanChunks(context.settings, Targets(context.settings))) {
    plan.push_back(std::move(fit));
  }
  absl::StatusOr<std::vector<FitResult>> results = runner.Run(
      plan, [&context](const Client&, const PlannedFit& planned, const v1::Fit& fit,
                       FitResult* result) { return MeasureToy(context, planned, fit, result); });
  if (!results.ok()) return results.status();
  const std::vector<ChunkPair> chunks = ChunkPairs({results->begin() + methods, results->end()});
  results->resize(methods);
  const std::vector<ToySummary> summaries = Summarise(context.settings, *results);
  // The report first: it needs no gnuplot.
  absl::Status status = WriteToyReport(context.settings, summaries, chunks);
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<ToyRow>> rows = PictureRows(context, *results);
  if (!rows.ok()) return rows.status();
  status = DrawToyDensities(*rows, context.settings.out);
  if (!status.ok()) return status;
  return DrawToyDivergences(summaries, context.settings.out);
}

}  // namespace aisivi::experiments
