// The evidence that a fit ends with.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/evidence/evidence.h"
#include "engine/fit/deadline.h"
#include "engine/fit/options.h"
#include "engine/fit/reporter.h"
#include "engine/model/model.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

// The draws that an estimate has collected so far; of an empty one nothing is done yet.
struct EvidenceState {
  int64_t inner_samples = 0;                      // K; 0: not chosen yet
  std::vector<double> log_p, log_q, log_q_upper;  // as in DrawBatch, from draw 0 on
  DrawGroups groups;
};

// EstimateEvidence() with options.evidence_draws draws and options.evidence_inner_samples inner
// samples, or more of the latter: K doubles until the bounds of a first chunk are 0.0005 nats
// apart, K has grown 64 times, or the whole estimate would take 2e12 floating-point operations.
// Ends with the draws it has when the limit of `deadline` passes, at least 256 with K = 64. Reports
// every chunk. Goes on from `state`: what a copy made at a call of `safe_point`, which comes before
// every chunk, ends with is the same. CANCELLED, or the target's own error.
absl::StatusOr<EvidenceEstimate> FinalEvidence(const Model& model, const Target& target,
                                               const FitOptions& options, ThreadPool& pool,
                                               Deadline& deadline, Reporter& reporter,
                                               const std::function<void()>& safe_point,
                                               EvidenceState* state, std::vector<std::string>* log);

}  // namespace aisivi
