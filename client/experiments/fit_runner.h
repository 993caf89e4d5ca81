// Running the fits of an experiment through the service, one after the other, with resume.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/client.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/result_file.h"

namespace aisivi::experiments {

struct PlannedFit {
  FitKey key;
  std::string title;      // for people: "banana, aisivi, defaults, seed 1"
  v1::TargetSpec target;  // empty: the target `key` names, with its default parameters
  // What measuring writes beside the result; a result without all of them is measured again.
  std::vector<std::filesystem::path> files;
};

// Measures a fit that SUCCEEDED, while the service has it: fills result->measures, writes the
// files.
using Measure = std::function<absl::Status(const Client& client, const PlannedFit& plan,
                                           const v1::Fit& fit, FitResult* result)>;

// The fit to ask the service for. INVALID_ARGUMENT when the target or a hyperparameter of the key
// does not exist.
absl::StatusOr<v1::Fit> FitFor(const PlannedFit& plan);

// Not thread-safe.
class FitRunner {
 public:
  FitRunner(const Client& client, ResultFile* results, std::stop_token stop, bool json);

  // The results of all planned fits, in order: those that are in the file already as they are, the
  // others, once the service has found all of them valid, run and measured now, each with a line,
  // or the fit as JSON, when it is done. A fit that FAILED has its state and no numbers. After a
  // request to stop, or on an error, the fit that runs is cancelled and CANCELLED or the error
  // returned; what was finished stays in the file.
  absl::StatusOr<std::vector<FitResult>> Run(const std::vector<PlannedFit>& plan,
                                             const Measure& measure);

 private:
  const FitResult* Known(const PlannedFit& plan) const;
  absl::Status CheckAll(const std::vector<PlannedFit>& plan) const;
  absl::StatusOr<FitResult> RunOne(const PlannedFit& plan, const Measure& measure);
  absl::StatusOr<v1::Fit> Wait(const std::string& name) const;
  absl::Status Tell(const std::string& text) const;

  const Client& client_;
  ResultFile* const results_;
  const std::stop_token stop_;
  const bool json_;
  const bool bar_;  // what runs, and its progress below
};

// "forward_kl 0.0853, ELBO -0.101, log Z 0.002, 12.3 s", or how it failed.
std::string ResultLine(const FitResult& result);

}  // namespace aisivi::experiments
