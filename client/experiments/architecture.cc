#include "client/experiments/architecture.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "client/experiments/architecture_picture.h"
#include "client/experiments/architecture_report.h"
#include "client/experiments/convergence_report.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/variant.h"

namespace aisivi::experiments {
namespace {

constexpr int64_t kQuickIterations = 500;

std::vector<std::string> Targets(const Settings& settings) {
  if (!settings.target.empty()) return {settings.target};
  if (IsQuick(settings)) return {"banana"};
  return {"banana", "funnel", "conditioned_diffusion"};
}

// Seed by seed all architectures, so that what is there after an interruption is paired.
std::vector<PlannedFit> Plan(const Settings& settings) {
  std::vector<PlannedFit> plan;
  for (const std::string& target : Targets(settings)) {
    for (int64_t seed = 1; seed <= SeedCount(settings, 3, 5); ++seed) {
      for (const int64_t couplings : kCouplings) {
        std::vector<std::string> set = settings.set;
        set.insert(set.begin(), WithCouplings(couplings));
        if (IsQuick(settings)) set.insert(set.begin(), AtMost(kQuickIterations));
        PlannedFit fit;
        fit.key = {target, "aisivi", "", JoinSets(set), static_cast<uint64_t>(seed)};
        fit.title = absl::StrCat(target, ", ", couplings, " couplings, seed ", seed);
        plan.push_back(std::move(fit));
      }
    }
  }
  return plan;
}

absl::Status MeasureProposal(const Client& client, const v1::Fit& fit, FitResult* result) {
  const absl::StatusOr<v1::TrainingHistory> history = client.TrainingHistory(fit.name());
  if (!history.ok()) return history.status();
  using P = v1::FitProgress;
  result->measures[kProposalEss] = AtEnd(*history, &P::has_proposal_ess, &P::proposal_ess);
  result->measures[kFlowLoss] = AtEnd(*history, &P::has_flow_loss, &P::flow_loss);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunArchitecture(const Context& context) {
  const Settings& settings = context.settings;
  const absl::StatusOr<std::unique_ptr<ResultFile>> file =
      ResultFile::Open(settings.out / "results.csv", "architecture", {kProposalEss, kFlowLoss});
  if (!file.ok()) return file.status();
  FitRunner runner(context.client, file->get(), context.stop, context.json);
  const absl::StatusOr<std::vector<FitResult>> results = runner.Run(
      Plan(settings), [](const Client& client, const PlannedFit&, const v1::Fit& fit,
                         FitResult* result) { return MeasureProposal(client, fit, result); });
  if (!results.ok()) return results.status();
  const std::vector<Architecture> all = GroupArchitectures(*results);
  absl::Status status = WriteArchitectureReport(settings, all);
  return status.ok() ? DrawArchitecture(all, settings.out) : status;
}

}  // namespace aisivi::experiments
