#include "client/experiments/diffusion.h"

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client/cli/data_csv.h"
#include "client/experiments/diffusion_picture.h"
#include "client/experiments/diffusion_report.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/marginal_density.h"
#include "client/experiments/path_bands.h"
#include "client/experiments/variant.h"

namespace aisivi::experiments {
namespace {

constexpr char kTarget[] = "conditioned_diffusion";
constexpr int64_t kSteps = 100;  // of the published instance, the target's default
constexpr int64_t kDraws = 60000;
constexpr double kBandwidth = 0.01;

// Presets are the authors', and take long; empty: the defaults.
struct Way {
  std::string method, preset;
};

std::vector<Way> Ways(const Settings& settings) {
  std::vector<std::string> methods = settings.methods;
  if (methods.empty()) {
    methods = {"aisivi", "bsivi", "iwhvi", "sivi", "ksivi", "kpg", "gaussian", "reference"};
  }
  std::vector<Way> ways;
  for (const std::string& method : methods) {
    ways.push_back({method, ""});
    const bool published = method == "aisivi" || method == "bsivi" || method == "ksivi";
    if (!IsQuick(settings) && published) {
      ways.push_back({method, absl::StrCat(method, "_diffusion")});
    }
  }
  return ways;
}

std::vector<PlannedFit> Plan(const Settings& settings) {
  std::vector<PlannedFit> plan;
  for (const Way& way : Ways(settings)) {
    for (int64_t seed = 1; seed <= SeedCount(settings, 1, 3); ++seed) {
      PlannedFit fit;
      fit.key = {kTarget, way.method, way.preset, JoinSets(settings.set),
                 static_cast<uint64_t>(seed)};
      fit.title = absl::StrCat("diffusion, ", way.preset.empty() ? way.method : way.preset,
                               ", seed ", seed);
      if (seed == 1) fit.files = {BandsFile(settings, fit.key)};
      plan.push_back(std::move(fit));
    }
  }
  return plan;
}

// The reference draws, D×M; nothing where no file is given.
absl::StatusOr<std::optional<Eigen::MatrixXd>> ReadReference(const Settings& settings) {
  if (settings.reference.empty()) return std::nullopt;
  const absl::StatusOr<v1::Matrix> points = cli::ReadPointsFile(settings.reference, "--reference");
  if (!points.ok()) return points.status();
  if (points->columns() != kSteps) {
    return absl::InvalidArgumentError(
        absl::StrCat("--reference: ", settings.reference, " has ", points->columns(),
                     " columns; the diffusion has ", kSteps, " steps"));
  }
  return PointsFromProto(*points);
}

absl::Status MeasureReference(const Client& client, const v1::Fit& fit,
                              const Eigen::MatrixXd& draws, const Eigen::MatrixXd& reference,
                              FitResult* result) {
  result->measures[kLogMl] = MarginalLogDensity(draws, reference, kBandwidth);
  // A set of draws has no density at other points.
  if (fit.method() == "reference") return absl::OkStatus();
  const absl::StatusOr<LogDensity> density = client.EvaluateLogDensity(fit.name(), reference);
  if (!density.ok()) return density.status();
  result->measures[kMeanLogQ] = density->log_q.mean();
  return absl::OkStatus();
}

absl::Status MeasureDiffusion(const Client& client, const PlannedFit& plan, const v1::Fit& fit,
                              const std::optional<Eigen::MatrixXd>& reference, FitResult* result) {
  if (!reference.has_value() && plan.files.empty()) return absl::OkStatus();
  const absl::StatusOr<Draws> draws =
      client.GetDraws(fit.name(), {.count = kDraws, .seed = 1, .densities = false});
  if (!draws.ok()) return draws.status();
  absl::Status status;
  if (reference.has_value()) {
    status = MeasureReference(client, fit, draws->z, *reference, result);
  }
  if (status.ok() && !plan.files.empty()) status = WriteBands(plan.files[0], BandsOf(draws->z));
  return status;
}

absl::StatusOr<std::vector<BandPanel>> Panels(const Settings& settings,
                                              const std::vector<FitResult>& results) {
  std::vector<BandPanel> panels;
  for (const FitResult& result : results) {
    if (result.key.seed != 1 || result.state != "SUCCEEDED") continue;
    absl::StatusOr<PathBands> bands = ReadBands(BandsFile(settings, result.key));
    if (!bands.ok()) return bands.status();
    panels.push_back({DiffusionTitle(result.key), *std::move(bands)});
  }
  return panels;
}

}  // namespace

absl::Status RunDiffusion(const Context& context) {
  const Settings& settings = context.settings;
  const absl::StatusOr<std::optional<Eigen::MatrixXd>> reference = ReadReference(settings);
  if (!reference.ok()) return reference.status();
  // Results without these measures are of no use to a run with a reference, and differ by them.
  const absl::StatusOr<std::unique_ptr<ResultFile>> file =
      ResultFile::Open(settings.out / "results.csv", "diffusion",
                       reference->has_value() ? std::vector<std::string>{kLogMl, kMeanLogQ}
                                              : std::vector<std::string>{});
  if (!file.ok()) return file.status();
  FitRunner runner(context.client, file->get(), context.stop, context.json);
  const absl::StatusOr<std::vector<FitResult>> results =
      runner.Run(Plan(settings), [&reference](const Client& client, const PlannedFit& plan,
                                              const v1::Fit& fit, FitResult* result) {
        return MeasureDiffusion(client, plan, fit, *reference, result);
      });
  if (!results.ok()) return results.status();
  absl::Status status = WriteDiffusionReport(settings, *results);
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<BandPanel>> panels = Panels(settings, *results);
  if (!panels.ok()) return panels.status();
  std::optional<PathBands> truth;
  if (reference->has_value()) truth = BandsOf(**reference);
  return DrawDiffusion(*panels, truth, settings.out);
}

}  // namespace aisivi::experiments
