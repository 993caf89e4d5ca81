#include "client/experiments/fit_runner.h"

#include <algorithm>
#include <cmath>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/cli/output.h"
#include "client/cli/parameter.h"
#include "client/cli/progress_view.h"
#include "client/cli/settings.h"
#include "client/cli/terminal.h"

namespace aisivi::experiments {

absl::StatusOr<v1::Fit> FitFor(const PlannedFit& plan) {
  v1::Fit fit;
  *fit.mutable_target() = plan.target;
  if (absl::Status status = cli::ChooseTarget(plan.key.target, &fit); !status.ok()) return status;
  if (!plan.key.method.empty()) {
    if (absl::Status status = cli::ChooseMethod(plan.key.method, &fit); !status.ok()) return status;
  }
  fit.set_preset(plan.key.preset);
  fit.set_seed(plan.key.seed);
  for (absl::string_view assignment : absl::StrSplit(plan.key.set, ' ', absl::SkipEmpty())) {
    const auto pair = cli::SplitAssignment("--set", assignment);
    if (!pair.ok()) return pair.status();
    // One --set is for fits by several methods.
    if (cli::IsOptionOfAnotherMethod(pair->first, fit)) continue;
    const absl::Status set = cli::SetSetting(pair->first, pair->second, &fit);
    if (!set.ok()) return set;
  }
  fit.set_display_name(plan.title);
  (*fit.mutable_labels())["purpose"] = "experiment";
  return fit;
}

FitRunner::FitRunner(const Client& client, ResultFile* results, std::stop_token stop, bool json)
    : client_(client),
      results_(results),
      stop_(std::move(stop)),
      json_(json),
      bar_(cli::IsTerminal() && !json) {}

absl::StatusOr<std::vector<FitResult>> FitRunner::Run(const std::vector<PlannedFit>& plan,
                                                      const Measure& measure) {
  const auto known = std::count_if(plan.begin(), plan.end(),
                                   [this](const PlannedFit& fit) { return Known(fit) != nullptr; });
  if (known > 0) {
    const absl::Status told = Tell(absl::StrCat(known, " of ", plan.size(), " are done already\n"));
    if (!told.ok()) return told;
  }
  if (absl::Status checked = CheckAll(plan); !checked.ok()) return checked;
  std::vector<FitResult> results;
  for (size_t i = 0; i < plan.size(); ++i) {
    if (const FitResult* result = Known(plan[i]); result != nullptr) {
      results.push_back(*result);
      continue;
    }
    const std::string what = absl::StrCat(i + 1, "/", plan.size(), "  ", plan[i].title);
    absl::Status status = bar_ ? Tell(what + "\n") : absl::OkStatus();
    if (!status.ok()) return status;
    absl::StatusOr<FitResult> result = RunOne(plan[i], measure);
    if (!result.ok()) return result.status();
    status = results_->Append(*result);
    // In the place of what stood above the bar.
    const std::string line = absl::StrCat(what, ":  ", ResultLine(*result));
    if (status.ok()) status = Tell(bar_ ? "\x1b[A\r" + line + "\x1b[K\n" : line + "\n");
    if (!status.ok()) return status;
    results.push_back(*std::move(result));
  }
  return results;
}

const FitResult* FitRunner::Known(const PlannedFit& plan) const {
  const FitResult* result = results_->Find(plan.key);
  if (result == nullptr || result->state != "SUCCEEDED") return result;
  for (const std::filesystem::path& file : plan.files) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return nullptr;
  }
  return result;
}

// A wrong name should not come out after hours of other fits.
absl::Status FitRunner::CheckAll(const std::vector<PlannedFit>& plan) const {
  std::vector<FitKey> checked;
  for (const PlannedFit& planned : plan) {
    FitKey key = planned.key;
    key.seed = 0;  // any seed is valid
    const bool seen = std::find(checked.begin(), checked.end(), key) != checked.end();
    if (seen || Known(planned) != nullptr) continue;
    const absl::StatusOr<v1::Fit> fit = FitFor(planned);
    if (!fit.ok()) return fit.status();
    const absl::Status valid = client_.CreateFit(*fit, "", /*validate_only=*/true).status();
    if (!valid.ok()) return valid;
    checked.push_back(std::move(key));
  }
  return absl::OkStatus();
}

absl::StatusOr<FitResult> FitRunner::RunOne(const PlannedFit& plan, const Measure& measure) {
  if (stop_.stop_requested()) return absl::CancelledError("stopped");
  const absl::StatusOr<v1::Fit> fit = FitFor(plan);
  if (!fit.ok()) return fit.status();
  const absl::StatusOr<v1::Fit> created = client_.CreateFit(*fit);
  if (!created.ok()) return created.status();
  const absl::StatusOr<v1::Fit> done = Wait(created->name());
  absl::Status status = done.status();
  FitResult result;
  if (done.ok()) {
    result = ToResult(plan.key, *done);
    if (done->state() == v1::Fit::STATE_SUCCEEDED) status = measure(client_, plan, *done, &result);
    if (done->state() == v1::Fit::STATE_CANCELLED) {
      status = absl::CancelledError(absl::StrCat(created->name(), ": the fit was cancelled"));
    }
  } else {
    (void)client_.Cancel(created->name());
  }
  // What is needed of it is measured: a hundred fits are not left behind.
  (void)client_.Delete(created->name());
  if (status.ok() && json_) status = cli::PrintJson(*done);
  if (!status.ok()) return status;
  return result;
}

absl::StatusOr<v1::Fit> FitRunner::Wait(const std::string& name) const {
  cli::ProgressView view(cli::ProgressStyle::kBar);
  WatchOptions options;
  options.stop = stop_;
  const absl::StatusOr<v1::Fit> fit = client_.Watch(
      name,
      [&](const v1::WatchFitResponse& event) {
        if (bar_) view.Show(event);
      },
      options);
  view.Finish();
  return fit;
}

absl::Status FitRunner::Tell(const std::string& text) const {
  return json_ ? absl::OkStatus() : cli::Print(text);
}

std::string ResultLine(const FitResult& result) {
  if (result.state != "SUCCEEDED") return result.state;
  std::vector<std::string> facts;
  for (const auto& [name, value] : result.measures) {
    facts.push_back(absl::StrCat(name, " ", cli::FormatNumber(value, 3)));
  }
  if (!std::isnan(result.elbo_lower)) {
    facts.push_back(absl::StrCat("ELBO ", cli::FormatFixed(result.elbo_lower, 4)));
  }
  facts.push_back(absl::StrCat("log Z ", cli::FormatFixed(result.log_z, 4)));
  facts.push_back(cli::FormatSeconds(result.seconds));
  return absl::StrJoin(facts, ", ");
}

}  // namespace aisivi::experiments
