#include "client/experiments/convergence.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/experiments/convergence_picture.h"
#include "client/experiments/convergence_report.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/toy_density.h"
#include "client/experiments/training_csv.h"
#include "client/experiments/variant.h"

namespace aisivi::experiments {
namespace {

std::vector<std::string> Targets(const Settings& settings) {
  if (!settings.target.empty()) return {settings.target};
  return IsQuick(settings) ? std::vector<std::string>{"banana"} : ToyNames();
}

// The authors have presets of their own for the 2-D targets only.
std::vector<Variant> VariantsFor(const std::string& target) {
  std::vector<Variant> variants = Variants();
  if (std::find(ToyNames().begin(), ToyNames().end(), target) == ToyNames().end()) {
    variants.erase(std::remove_if(variants.begin(), variants.end(),
                                  [](const Variant& variant) { return variant.authors; }),
                   variants.end());
  }
  return variants;
}

std::filesystem::path TrainingFile(const Settings& settings, const FitKey& key) {
  return settings.out / absl::StrCat("training_", FileStem(key), ".csv");
}

std::vector<PlannedFit> Plan(const Settings& settings) {
  std::vector<PlannedFit> plan;
  for (const std::string& target : Targets(settings)) {
    for (const Variant& variant : VariantsFor(target)) {
      for (int64_t seed = 1; seed <= SeedCount(settings, 1, 1); ++seed) {
        PlannedFit fit;
        fit.key = KeyOf(variant, target, static_cast<uint64_t>(seed), settings);
        fit.title = absl::StrCat(target, ", ", Title(variant), ", seed ", seed);
        fit.files = {TrainingFile(settings, fit.key)};
        plan.push_back(std::move(fit));
      }
    }
  }
  return plan;
}

absl::Status SaveTraining(const Client& client, const PlannedFit& plan, const v1::Fit& fit) {
  const absl::StatusOr<v1::TrainingHistory> history = client.TrainingHistory(fit.name());
  return history.ok() ? WriteTraining(plan.files[0], *history) : history.status();
}

}  // namespace

absl::Status RunConvergence(const Context& context) {
  const Settings& settings = context.settings;
  const absl::StatusOr<std::unique_ptr<ResultFile>> file =
      ResultFile::Open(settings.out / "results.csv", "convergence", {});
  if (!file.ok()) return file.status();
  FitRunner runner(context.client, file->get(), context.stop, context.json);
  const absl::StatusOr<std::vector<FitResult>> results = runner.Run(
      Plan(settings), [](const Client& client, const PlannedFit& plan, const v1::Fit& fit,
                         FitResult*) { return SaveTraining(client, plan, fit); });
  if (!results.ok()) return results.status();
  std::vector<TrainedFit> fits;
  for (const FitResult& result : *results) {
    TrainedFit fit = {result, {}};
    if (result.state == "SUCCEEDED") {
      absl::StatusOr<v1::TrainingHistory> history =
          ReadTraining(TrainingFile(settings, result.key));
      if (!history.ok()) return history.status();
      fit.history = *std::move(history);
    }
    fits.push_back(std::move(fit));
  }
  absl::Status status = WriteConvergenceReport(settings, Targets(settings), fits);
  for (const std::string& target : Targets(settings)) {
    if (status.ok()) status = DrawConvergence(target, fits, settings.out);
  }
  return status;
}

}  // namespace aisivi::experiments
