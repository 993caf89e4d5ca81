// The particles of all islands, and what resampling does with them.
//
// I islands of N particles; particle n of island i is column i N + n. A particle that cannot be
// evaluated has log p̃ = −∞: it carries no weight on the path and is never an ancestor.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/explore/base.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

// The logarithm of the weight of a particle, or the Ẑ of an island, that has none.
inline constexpr double kNoWeight = -std::numeric_limits<double>::infinity();

struct Population {
  Eigen::MatrixXd z;         // D×(I N)
  Eigen::VectorXd log_p;     // I N; log p̃(z)
  Eigen::MatrixXd score;     // D×(I N); ∇ log p̃(z)
  Eigen::VectorXd log_base;  // I N; log b(z)

  int64_t size() const { return z.cols(); }
  // δ = log p̃ − log b, N×I, one column per island.
  Eigen::MatrixXd LogRatio(int64_t islands) const;
};

Population UndefinedPopulation(int64_t dim, int64_t size);

// to.column(to_column) = from.column(from_column).
void CopyParticle(const Population& from, int64_t from_column, Population* to, int64_t to_column);

// N draws of the base for each island, evaluated. Error: the target's own, or CANCELLED.
absl::StatusOr<Population> DrawPopulation(Evaluator& evaluator, const AnnealingBase& base,
                                          uint64_t seed, int64_t islands, int64_t count);

// `count` particles of every island by systematic resampling with weights exp(Δβ δ); those of an
// island without any weight are any of it. `level` numbers the resamplings of a seed.
Population ResampleIslands(const Population& population, int64_t islands, double beta_increment,
                           int64_t count, uint64_t seed, uint32_t level);

}  // namespace aisivi
