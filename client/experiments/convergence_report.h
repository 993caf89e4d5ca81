// The table and the text of the experiment `convergence`.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "aisivi/v1/fit_service.pb.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/settings.h"

namespace aisivi::experiments {

struct TrainedFit {
  FitResult result;
  v1::TrainingHistory history;  // empty where the fit failed
};

// The last training iteration that was reported, and how many there might have been; 0 and 0
// without training.
struct LastIteration {
  int64_t iteration = 0, total = 0;
};
LastIteration FindLastIteration(const v1::TrainingHistory& history);

// The median of a metric over the last tenth of training: single reports are noisy. NaN where no
// report has it.
double AtEnd(const v1::TrainingHistory& history, bool (v1::FitProgress::*has)() const,
             double (v1::FitProgress::*get)() const);

// Where and why a fit stopped, as a sentence.
std::string StopSentence(const TrainedFit& fit);

// report.md and convergence.csv.
absl::Status WriteConvergenceReport(const Settings& settings,
                                    const std::vector<std::string>& targets,
                                    const std::vector<TrainedFit>& fits);

}  // namespace aisivi::experiments
