#include "client/experiments/ablation_k.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "client/experiments/ablation_k_picture.h"
#include "client/experiments/ablation_k_report.h"
#include "client/experiments/fingerprint.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/regression_input.h"
#include "client/experiments/score_study.h"
#include "client/experiments/variant.h"

namespace aisivi::experiments {
namespace {

ScorePlan PlanOf(const Context& context) {
  ScorePlan plan;
  plan.points = IsQuick(context.settings) ? 64 : 256;
  plan.repeats = SeedCount(context.settings, 16, 32);
  plan.proposal = plan.prior = {10, 100, 1000, 10000};
  plan.server = context.server;
  return plan;
}

PlannedFit Plan(const Settings& settings, const RegressionInput& input, int64_t repeats) {
  PlannedFit fit;
  fit.key = {"logistic_regression", "aisivi", "", JoinSets(settings.set), 1};
  fit.title = absl::StrCat("logistic regression, aisivi, ", repeats, " estimates of each kind");
  fit.target = input.spec;
  fit.files = {settings.out / absl::StrCat("scores_", FileStem(fit.key), "_", repeats, ".csv")};
  return fit;
}

absl::Status Check(const Settings& settings) {
  if (settings.seeds != 1) return absl::OkStatus();
  return absl::InvalidArgumentError("--seeds: a variance needs at least 2 estimates");
}

}  // namespace

absl::Status RunAblationK(const Context& context) {
  const Settings& settings = context.settings;
  if (absl::Status status = Check(settings); !status.ok()) return status;
  const absl::StatusOr<RegressionInput> input = ReadRegressionOrExample(settings.data);
  if (!input.ok()) return input.status();
  const absl::StatusOr<std::unique_ptr<ResultFile>> file = ResultFile::Open(
      settings.out / "results.csv", absl::StrCat("ablation-k on ", Fingerprint(input->data.x)), {});
  if (!file.ok()) return file.status();
  const ScorePlan scores = PlanOf(context);
  const PlannedFit plan = Plan(settings, *input, scores.repeats);
  FitRunner runner(context.client, file->get(), context.stop, context.json);
  const absl::StatusOr<std::vector<FitResult>> results = runner.Run(
      {plan}, [&](const Client& client, const PlannedFit& planned, const v1::Fit& fit, FitResult*) {
        const absl::StatusOr<std::vector<ScoreRow>> rows =
            StudyScores(client, fit.name(), scores, context.stop);
        return rows.ok() ? WriteScoreRows(planned.files[0], *rows) : rows.status();
      });
  if (!results.ok()) return results.status();
  AblationK ablation{input->source, input->data.x.cols(), scores, (*results)[0], {}};
  if (ablation.fit.state == "SUCCEEDED") {
    absl::StatusOr<std::vector<ScoreRow>> rows = ReadScoreRows(plan.files[0]);
    if (!rows.ok()) return rows.status();
    ablation.rows = *std::move(rows);
  }
  absl::Status status = WriteAblationKReport(settings, ablation);
  return status.ok() ? DrawAblationK(ablation.rows, settings.out) : status;
}

}  // namespace aisivi::experiments
