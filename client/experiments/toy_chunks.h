// Inner samples in chunks against one batch: the experiment `toy` trains AISIVI by both, from the
// same seed.
//
// Of C chunks of k inner samples, with q̂_c and ŝ_c the estimate of density and score by chunk c,
//   q̂ = (1/C) Σ_c q̂_c,   ŝ = Σ_c q̂_c ŝ_c / Σ_c q̂_c,
// which is the estimate by one batch of C k samples (arXiv 2506.03839).
#pragma once

#include <string>
#include <vector>

#include "client/experiments/fit_result.h"
#include "client/experiments/fit_runner.h"
#include "client/experiments/report.h"
#include "client/experiments/settings.h"

namespace aisivi::experiments {

// Two fits of one target, alike but for the chunks.
struct ChunkPair {
  FitResult batch, chunks;
};

// For each target one batch, then the chunks; both keep what they learned.
std::vector<PlannedFit> PlanChunks(const Settings& settings,
                                   const std::vector<std::string>& targets);

// Of the results of PlanChunks(), in its order.
std::vector<ChunkPair> ChunkPairs(const std::vector<FitResult>& results);

// Whether their evidence and divergences differ by no more than rounding can make of them; a sum of
// thousands of terms of the order of one keeps ten digits. False where one of them failed.
bool AreAlike(const ChunkPair& pair);

// A heading, a sentence and a table.
void ReportChunks(const std::vector<ChunkPair>& pairs, Report* report);

}  // namespace aisivi::experiments
