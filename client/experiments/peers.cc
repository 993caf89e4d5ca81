#include "client/experiments/peers.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/output.h"
#include "client/experiments/convergence_report.h"
#include "client/experiments/fingerprint.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/nuts.h"
#include "client/experiments/peers_picture.h"
#include "client/experiments/peers_report.h"
#include "client/experiments/regression_input.h"
#include "client/experiments/variant.h"

namespace aisivi::experiments {
namespace {

absl::StatusOr<std::vector<PeerTarget>> Targets(const Settings& settings,
                                                const RegressionInput& input) {
  std::vector<PeerTarget> targets = PeerTargets(input);
  if (settings.target.empty()) return targets;
  std::vector<std::string> names;
  for (const PeerTarget& target : targets) {
    if (target.name == settings.target) return std::vector<PeerTarget>{target};
    names.push_back(target.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--target: '", settings.target, "' is not one of ", absl::StrJoin(names, ", ")));
}

std::vector<PlannedFit> Plan(const Settings& settings, const std::vector<PeerTarget>& targets,
                             int64_t seeds) {
  std::vector<PlannedFit> plan;
  for (const PeerTarget& target : targets) {
    for (int64_t seed = 1; seed <= seeds; ++seed) {
      PlannedFit fit;
      fit.key = {target.name, "aisivi", "", JoinSets(settings.set), static_cast<uint64_t>(seed)};
      fit.title = absl::StrCat(target.name, ", aisivi, defaults, seed ", seed);
      fit.target = target.spec;
      plan.push_back(std::move(fit));
    }
  }
  return plan;
}

// Of the search for modes and of training; the fits of Gaussians and the short trainings of further
// starts are not counted by anybody, so that these are the fewest that it can have been.
absl::Status CountGradients(const Client& client, const v1::Fit& fit, FitResult* result) {
  const absl::StatusOr<v1::TrainingHistory> history = client.TrainingHistory(fit.name());
  if (!history.ok()) return history.status();
  const int64_t points = fit.effective_settings().schedule().points();
  result->measures[kGradients] = static_cast<double>(
      fit.mode_search().evaluations() + points * FindLastIteration(*history).iteration);
  return absl::OkStatus();
}

// What is not in the file yet is run now.
class Nuts {
 public:
  Nuts(const Context& context, int64_t seeds, ResultFile* file)
      : context_(context), seeds_(seeds), file_(file) {}

  // Adds to peers->results, missing and failures. An error only where nothing can go on.
  absl::Status Run(const std::vector<PeerTarget>& targets, Peers* peers) const {
    for (const PeerTarget& target : targets) {
      std::vector<uint64_t> wanted;
      for (int64_t seed = 1; seed <= seeds_; ++seed) {
        if (file_->Find(KeyOf(target, seed)) == nullptr) wanted.push_back(seed);
      }
      if (absl::Status status = RunOne(target, wanted, peers); !status.ok()) return status;
      for (int64_t seed = 1; seed <= seeds_; ++seed) {
        const FitResult* result = file_->Find(KeyOf(target, seed));
        if (result != nullptr) peers->results.push_back(*result);
      }
    }
    return absl::OkStatus();
  }

 private:
  static FitKey KeyOf(const PeerTarget& target, int64_t seed) {
    return {target.name, kNuts, "", "", static_cast<uint64_t>(seed)};
  }

  absl::Status RunOne(const PeerTarget& target, const std::vector<uint64_t>& seeds,
                      Peers* peers) const {
    if (seeds.empty() || !peers->missing.empty()) return absl::OkStatus();
    const absl::StatusOr<std::vector<FitResult>> results =
        RunNuts(target, peers->nuts, seeds, context_.settings.out, context_.stop);
    if (absl::IsInternal(results.status())) {
      peers->failures.emplace_back(results.status().message());
      return absl::OkStatus();
    }
    if (!results.ok()) return results.status();
    for (const FitResult& result : *results) {
      absl::Status status = file_->Append(result);
      if (status.ok() && !context_.json) {
        status = cli::Print(absl::StrCat(target.name, ", NUTS and bridge sampling, seed ",
                                         result.key.seed, ":  ", ResultLine(result), "\n"));
      }
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  const Context& context_;
  const int64_t seeds_;
  ResultFile* const file_;
};

}  // namespace

absl::Status RunPeers(const Context& context) {
  const Settings& settings = context.settings;
  const absl::StatusOr<RegressionInput> input = ReadRegressionOrExample(settings.data);
  if (!input.ok()) return input.status();
  const absl::StatusOr<std::vector<PeerTarget>> targets = Targets(settings, *input);
  if (!targets.ok()) return targets.status();
  const absl::StatusOr<std::unique_ptr<ResultFile>> file = ResultFile::Open(
      settings.out / "results.csv", absl::StrCat("peers on ", Fingerprint(input->data.x)),
      {kGradients, kRHat, kDivergences, kCompileSeconds});
  if (!file.ok()) return file.status();
  const int64_t seeds = SeedCount(settings, 1, 5);
  FitRunner runner(context.client, file->get(), context.stop, context.json);
  absl::StatusOr<std::vector<FitResult>> results =
      runner.Run(Plan(settings, *targets, seeds),
                 [](const Client& client, const PlannedFit&, const v1::Fit& fit,
                    FitResult* result) { return CountGradients(client, fit, result); });
  if (!results.ok()) return results.status();
  Peers peers{input->source, {}, *std::move(results), {}, {}, {}};
  for (const PeerTarget& target : *targets) peers.targets.push_back(target.name);
  absl::StatusOr<std::vector<std::string>> missing = MissingPackages(context.stop);
  if (!missing.ok()) return missing.status();
  peers.missing = *std::move(missing);
  absl::Status status = Nuts(context, seeds, file->get()).Run(*targets, &peers);
  if (status.ok()) status = WritePeersReport(settings, peers);
  return status.ok() ? DrawPeers(peers, settings.out) : status;
}

}  // namespace aisivi::experiments
