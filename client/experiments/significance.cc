#include "client/experiments/significance.h"

#include <cmath>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/significance_picture.h"
#include "client/experiments/significance_report.h"
#include "client/experiments/variant.h"

namespace aisivi::experiments {
namespace {

constexpr int64_t kFewestSeeds = 2;  // no test can do with less

std::vector<std::string> Methods(const Settings& settings) {
  return settings.methods.empty() ? std::vector<std::string>{"aisivi", "bsivi"} : settings.methods;
}

absl::Status Check(const Settings& settings) {
  const std::vector<std::string> methods = Methods(settings);
  if (methods.size() != 2 || methods[0] == methods[1]) {
    return absl::InvalidArgumentError("--methods: give two different methods, as in aisivi,bsivi");
  }
  if (settings.seeds > 0 && settings.seeds < kFewestSeeds) {
    return absl::InvalidArgumentError(
        absl::StrCat("--seeds: a test needs at least ", kFewestSeeds));
  }
  return absl::OkStatus();
}

// Seed by seed both methods, so that what is there after an interruption is paired.
std::vector<PlannedFit> Plan(const Settings& settings) {
  const std::string target = settings.target.empty() ? "banana" : settings.target;
  std::vector<PlannedFit> plan;
  for (int64_t seed = 1; seed <= SeedCount(settings, 6, 10); ++seed) {
    for (const std::string& method : Methods(settings)) {
      PlannedFit fit;
      fit.key = {target, method, "", JoinSets(settings.set), static_cast<uint64_t>(seed)};
      fit.title = absl::StrCat(target, ", ", method, ", seed ", seed);
      plan.push_back(std::move(fit));
    }
  }
  return plan;
}

}  // namespace

absl::Status RunSignificance(const Context& context) {
  const Settings& settings = context.settings;
  if (absl::Status status = Check(settings); !status.ok()) return status;
  const absl::StatusOr<std::unique_ptr<ResultFile>> file =
      ResultFile::Open(settings.out / "results.csv", "significance", {});
  if (!file.ok()) return file.status();
  FitRunner runner(context.client, file->get(), context.stop, context.json);
  const absl::StatusOr<std::vector<FitResult>> results =
      runner.Run(Plan(settings), [](const Client&, const PlannedFit&, const v1::Fit&, FitResult*) {
        return absl::OkStatus();
      });
  if (!results.ok()) return results.status();
  const std::vector<PairedQuantity> quantities = PairResults(*results);
  absl::Status status = WriteSignificanceReport(settings, Methods(settings), *results, quantities);
  return status.ok() ? DrawSignificance(Methods(settings), quantities, settings.out) : status;
}

}  // namespace aisivi::experiments
