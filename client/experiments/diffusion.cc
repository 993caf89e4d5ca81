#include "client/experiments/diffusion.h"

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client/experiments/diffusion_picture.h"
#include "client/experiments/diffusion_report.h"
#include "client/experiments/fingerprint.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/marginal_density.h"
#include "client/experiments/method_plan.h"
#include "client/experiments/path_bands.h"
#include "client/experiments/reference_draws.h"
#include "client/names.h"

namespace aisivi::experiments {
namespace {

constexpr int64_t kSteps = 100;  // of the published instance, the target's default
constexpr int64_t kDraws = 60000;
constexpr double kBandwidth = 0.01;

std::vector<PlannedFit> Plan(const Settings& settings) {
  std::vector<PlannedFit> plan =
      PlanMethods(settings, {.target = "conditioned_diffusion", .subject = "diffusion"});
  for (PlannedFit& fit : plan) {
    if (fit.key.seed == 1) fit.files = {BandsFile(settings, fit.key)};
  }
  return plan;
}

absl::Status MeasureReference(const Client& client, const v1::Fit& fit,
                              const Eigen::MatrixXd& draws, const Eigen::MatrixXd& reference,
                              FitResult* result) {
  result->measures[kLogMl] = MarginalLogDensity(draws, reference, kBandwidth);
  // A set of draws has no density at other points.
  if (MethodName(fit) == "reference") return absl::OkStatus();
  const absl::StatusOr<LogDensity> density = client.EvaluateLogDensity(fit.name(), reference);
  if (!density.ok()) return density.status();
  result->measures[kMeanLogQ] = density->log_q.mean();
  return absl::OkStatus();
}

absl::Status MeasureDiffusion(const Client& client, const PlannedFit& plan, const v1::Fit& fit,
                              const std::optional<Eigen::MatrixXd>& reference, FitResult* result) {
  if (!reference.has_value() && plan.files.empty()) return absl::OkStatus();
  const absl::StatusOr<Draws> draws = client.GetDraws(
      fit.name(), {.count = kDraws, .seed = 1, .densities = false, .unconstrained = true});
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
    panels.push_back({WayTitle(result.key), *std::move(bands)});
  }
  return panels;
}

}  // namespace

absl::Status RunDiffusion(const Context& context) {
  const Settings& settings = context.settings;
  const absl::StatusOr<std::optional<Eigen::MatrixXd>> reference =
      ReadReference(settings.reference, kSteps);
  if (!reference.ok()) return reference.status();
  const std::string experiment = reference->has_value()
                                     ? absl::StrCat("diffusion against ", Fingerprint(**reference))
                                     : "diffusion";
  const absl::StatusOr<std::unique_ptr<ResultFile>> file =
      ResultFile::Open(settings.out / "results.csv", experiment, {kLogMl, kMeanLogQ});
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
