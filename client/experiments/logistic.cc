#include "client/experiments/logistic.h"

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client/experiments/fingerprint.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/logistic_density.h"
#include "client/experiments/logistic_picture.h"
#include "client/experiments/logistic_report.h"
#include "client/experiments/matrix_csv.h"
#include "client/experiments/method_plan.h"
#include "client/experiments/reference_draws.h"
#include "client/experiments/regression_input.h"
#include "client/names.h"

namespace aisivi::experiments {
namespace {

constexpr int64_t kKeptDraws = 5000;  // of the first seed, for the pictures

// What the user gave.
struct Inputs {
  v1::TargetSpec spec;
  LogisticData data;
  std::optional<Eigen::MatrixXd> reference;  // D×M
};

absl::StatusOr<Inputs> ReadInputs(const Settings& settings) {
  if (settings.data.empty()) {
    return absl::InvalidArgumentError(
        "--data: the experiment logistic needs a CSV file: response, then features");
  }
  const absl::StatusOr<RegressionInput> regression = ReadRegression(settings.data);
  if (!regression.ok()) return regression.status();
  absl::StatusOr<std::optional<Eigen::MatrixXd>> reference =
      ReadReference(settings.reference, regression->data.x.cols());
  if (!reference.ok()) return reference.status();
  return Inputs{regression->spec, regression->data, *std::move(reference)};
}

std::filesystem::path DrawsFile(const Settings& settings, const FitKey& key) {
  return settings.out / absl::StrCat("draws_", FileStem(key), ".csv");
}

std::vector<PlannedFit> Plan(const Settings& settings, const Inputs& inputs) {
  std::vector<PlannedFit> plan = PlanMethods(
      settings, {.target = "logistic_regression", .subject = "logistic", .spec = inputs.spec});
  for (PlannedFit& fit : plan) {
    if (fit.key.seed == 1) fit.files = {DrawsFile(settings, fit.key)};
  }
  return plan;
}

absl::Status MeasureLogistic(const Client& client, const PlannedFit& plan, const v1::Fit& fit,
                             const Inputs& inputs, FitResult* result) {
  // A set of draws has no density at other points.
  if (inputs.reference.has_value() && MethodName(fit) != "reference") {
    const absl::StatusOr<LogDensity> density =
        client.EvaluateLogDensity(fit.name(), *inputs.reference);
    if (!density.ok()) return density.status();
    result->measures[kSumLogQ] = density->log_q.sum();
  }
  if (plan.files.empty()) return absl::OkStatus();
  const absl::StatusOr<Draws> draws = client.GetDraws(
      fit.name(), {.count = kKeptDraws, .seed = 1, .densities = false, .unconstrained = true});
  return draws.ok() ? WriteMatrix(plan.files[0], draws->z.transpose()) : draws.status();
}

std::string ExperimentName(const Inputs& inputs) {
  std::string name = absl::StrCat("logistic on ", Fingerprint(inputs.data.x));
  if (inputs.reference.has_value()) {
    absl::StrAppend(&name, " against ", Fingerprint(*inputs.reference));
  }
  return name;
}

absl::StatusOr<std::vector<DrawsOfFit>> ReadDraws(const Settings& settings, const Inputs& inputs,
                                                  const std::vector<FitResult>& results) {
  std::vector<DrawsOfFit> all;
  for (const FitResult& result : results) {
    if (result.key.seed != 1 || result.state != "SUCCEEDED") continue;
    const absl::StatusOr<Eigen::MatrixXd> rows =
        ReadMatrix(DrawsFile(settings, result.key), kKeptDraws, inputs.data.x.cols());
    if (!rows.ok()) return rows.status();
    all.push_back({WayTitle(result.key), rows->transpose()});
  }
  return all;
}

}  // namespace

absl::Status RunLogistic(const Context& context) {
  const Settings& settings = context.settings;
  const absl::StatusOr<Inputs> inputs = ReadInputs(settings);
  if (!inputs.ok()) return inputs.status();
  const absl::StatusOr<std::unique_ptr<ResultFile>> file =
      ResultFile::Open(settings.out / "results.csv", ExperimentName(*inputs), {kSumLogQ});
  if (!file.ok()) return file.status();
  FitRunner runner(context.client, file->get(), context.stop, context.json);
  const absl::StatusOr<std::vector<FitResult>> results = runner.Run(
      Plan(settings, *inputs),
      [&inputs](const Client& client, const PlannedFit& plan, const v1::Fit& fit,
                FitResult* result) { return MeasureLogistic(client, plan, fit, *inputs, result); });
  if (!results.ok()) return results.status();
  std::optional<ReferenceSum> sum;
  if (inputs->reference.has_value()) {
    sum = {LogisticLogDensity(inputs->data, *inputs->reference).sum(), inputs->reference->cols()};
  }
  absl::Status status = WriteLogisticReport(settings, *results, sum);
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<DrawsOfFit>> draws = ReadDraws(settings, *inputs, *results);
  if (!draws.ok()) return draws.status();
  status = DrawMarginals(*draws, inputs->reference, settings.out);
  if (status.ok()) status = DrawPairs(*draws, inputs->reference, settings.out);
  if (!status.ok() || !inputs->reference.has_value()) return status;
  return DrawCorrelations(*draws, *inputs->reference, settings.out);
}

}  // namespace aisivi::experiments
