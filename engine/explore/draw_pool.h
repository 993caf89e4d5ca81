// The particles of all rounds and islands of a reference run, thinned to a bounded number.
//
// Within an island the particles of a round have equal weight; between them the weight is Ẑ_{r,i}.
// Thinning keeps every s-th of all, the last of each s: with s the length of a chain that is the
// state farthest from the ancestor, which other chains may share.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "engine/explore/annealing.h"

namespace aisivi {

struct PooledDraws {
  int64_t island;
  double log_weight;      // log Ẑ_{r,i}, of each draw
  Eigen::MatrixXd z;      // D×n
  Eigen::VectorXd log_p;  // n
};

struct DrawPool {
  std::vector<PooledDraws> parts;  // round after round, without islands that met nothing
  int64_t stride = 1;              // s
  int64_t size() const;
};

struct EqualDraws {
  Eigen::MatrixXd z;      // D×N, in the order of the pool
  Eigen::VectorXd log_p;  // N
};

// Thins all to `capacity` draws at most.
void AddRound(const AnnealedIslands& round, int64_t capacity, DrawPool* pool);

// min(count, size) draws by systematic resampling. u in [0, 1). The pool must not be empty.
EqualDraws ResamplePool(const DrawPool& pool, int64_t count, double u);

// Of each island the draws of all rounds, D×n_i; D×0 for an island without.
std::vector<Eigen::MatrixXd> DrawsByIsland(const DrawPool& pool, int64_t islands, int64_t dim);

// I D / Σ_d (B_d/W_d), B_d the variance between the means of the I islands that have draws, W_d
// that within: how many independent draws have means as exact as those over all islands. NaN with
// fewer than two such islands, +∞ where the means agree exactly.
double IslandEss(const std::vector<Eigen::MatrixXd>& draws);

}  // namespace aisivi
