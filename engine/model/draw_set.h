// Equally weighted draws of a target, as a model: what a sampler leaves behind.
//
// Its density is known at its own draws only, where it is the posterior's own:
//   log q(z_j) = log p̃(z_j) − log Ẑ
// so that every importance weight p̃/q is Ẑ.
//
// The sequence of draws that a seed names goes through the set in a random order, then again in
// another, and so on: N draws beginning at a multiple of N are the whole set, each once. The order
// is a permutation of [0, N) that is computed entry by entry, by a Feistel network on the smallest
// even number of bits that hold N, walked until it ends below N (Black & Rogaway, CT-RSA 2002).
#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace aisivi {

struct DrawSet {
  Eigen::MatrixXd z;      // D×N, finite
  Eigen::VectorXd log_p;  // N, log p̃ of the draws, finite
  double log_z = 0;       // log Ẑ

  int64_t size() const { return z.cols(); }
};

// Which of `size` draws, at least 1, is number `index` of the sequence that `seed` names.
int64_t IndexOfDraw(int64_t size, uint64_t seed, int64_t index);

}  // namespace aisivi
