#include "client/experiments/dimension.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/experiments/dimension_picture.h"
#include "client/experiments/dimension_report.h"
#include "client/experiments/dimension_target.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/variant.h"

namespace aisivi::experiments {
namespace {

constexpr int kDimensions[] = {2, 4, 6, 8, 10, 20, 50, 100, 200, 400};
// Beyond, ten times as many samples from the prior tell no more and take most of the time.
constexpr int kLargePrior = 10;
// Nothing here asks for the evidence.
constexpr char kSmallEvidence[] = "evidence_draws=1000 evidence_inner_samples=64";

ScorePlan PlanOf(const Context& context, int dimension) {
  const bool quick = IsQuick(context.settings);
  ScorePlan plan;
  plan.points = 32;
  plan.repeats = SeedCount(context.settings, 4, 16);
  plan.proposal = {1, 10, 100, 1000};
  plan.prior = {1, 10, 100, 1000, 10000};
  if (!quick || dimension <= kLargePrior) plan.prior.push_back(100000);
  plan.truth = quick ? 10000 : 30000;
  plan.truth_repeats = 2;
  plan.server = context.server;
  return plan;
}

absl::Status Check(const Settings& settings) {
  const std::vector<std::string>& targets = DimensionTargets();
  if (settings.seeds == 1) {
    return absl::InvalidArgumentError("--seeds: a variance needs at least 2 estimates");
  }
  if (settings.target.empty() ||
      std::find(targets.begin(), targets.end(), settings.target) != targets.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("--target: '", settings.target, "' is not one of ",
                                                 absl::StrJoin(targets, ", ")));
}

// The seed of a fit is its dimension, by which its results are told from those of the others.
std::vector<PlannedFit> Plan(const Settings& settings, int64_t repeats) {
  std::vector<PlannedFit> plan;
  for (const std::string& target : DimensionTargets()) {
    if (!settings.target.empty() && settings.target != target) continue;
    for (const int dimension : kDimensions) {
      std::vector<std::string> set = settings.set;
      set.insert(set.begin(), kSmallEvidence);
      set.insert(set.begin(), TrainedFor(IsQuick(settings) ? 200 : 1000));
      PlannedFit fit;
      fit.key = {target, "aisivi", "", JoinSets(set), static_cast<uint64_t>(dimension)};
      fit.title = absl::StrCat(target, ", ", dimension, " dimensions");
      fit.target = DimensionTarget(target, dimension);
      fit.files = {settings.out / absl::StrCat("scores_", FileStem(fit.key), "_", repeats, ".csv")};
      plan.push_back(std::move(fit));
    }
  }
  return plan;
}

absl::StatusOr<std::vector<DimensionRows>> ReadAll(const std::vector<PlannedFit>& plan,
                                                   const std::vector<FitResult>& results) {
  std::vector<DimensionRows> all;
  for (size_t i = 0; i < plan.size(); ++i) {
    DimensionRows rows{plan[i].key.target, static_cast<int>(plan[i].key.seed), results[i], {}};
    if (results[i].state == "SUCCEEDED") {
      absl::StatusOr<std::vector<ScoreRow>> read = ReadScoreRows(plan[i].files[0]);
      if (!read.ok()) return read.status();
      rows.rows = *std::move(read);
    }
    all.push_back(std::move(rows));
  }
  return all;
}

}  // namespace

absl::Status RunDimension(const Context& context) {
  const Settings& settings = context.settings;
  if (absl::Status status = Check(settings); !status.ok()) return status;
  const absl::StatusOr<std::unique_ptr<ResultFile>> file =
      ResultFile::Open(settings.out / "results.csv", "dimension", {});
  if (!file.ok()) return file.status();
  const ScorePlan scores = PlanOf(context, kDimensions[0]);
  const std::vector<PlannedFit> plan = Plan(settings, scores.repeats);
  FitRunner runner(context.client, file->get(), context.stop, context.json);
  const absl::StatusOr<std::vector<FitResult>> results = runner.Run(
      plan, [&](const Client& client, const PlannedFit& planned, const v1::Fit& fit, FitResult*) {
        const absl::StatusOr<std::vector<ScoreRow>> rows =
            StudyScores(client, fit.name(), PlanOf(context, fit.dimension()), context.stop);
        return rows.ok() ? WriteScoreRows(planned.files[0], *rows) : rows.status();
      });
  if (!results.ok()) return results.status();
  const absl::StatusOr<std::vector<DimensionRows>> rows = ReadAll(plan, *results);
  if (!rows.ok()) return rows.status();
  const std::vector<NeedSeries> needs = Needs(*rows);
  absl::Status status = WriteDimensionReport(settings, scores, *rows, needs);
  return status.ok() ? DrawDimension(*rows, needs, settings.out) : status;
}

}  // namespace aisivi::experiments
