// A Gaussian as an affine map of white noise: z = b + A x, x ~ N(0, I_D).
//
//   log N(b + A x) = −½‖x‖² − Σ log A_ii − (D/2) log 2π
//
// The warm start works in the coordinates x of its current Gaussian, where an update of it is
// itself a Gaussian N(m, S): b ← b + A m, A Aᵀ ← A S Aᵀ.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "engine/parallel/rng.h"

namespace aisivi {

// The most dimensions for which full covariances are fitted. Ours, a judgement: there a factor has
// 2 MB, the curvature at a mode takes 1,000 evaluations, and a factorisation 4e7 operations, of
// which every mode needs several.
inline constexpr int64_t kFullRankLimit = 500;

struct AffineGaussian {
  Eigen::VectorXd mean;   // b, D
  Eigen::MatrixXd scale;  // A, D×D lower triangular, positive diagonal

  static AffineGaussian Isotropic(int64_t dim, double sd);
  int64_t dim() const { return mean.size(); }
};

// The lower triangular A (D×D) with non-negative diagonal and A Aᵀ = M Mᵀ, for any M (D×N, N ≥ D),
// by QR: no digits are lost to squaring.
Eigen::MatrixXd LowerFactor(const Eigen::MatrixXd& m);

// b + A m, and the factor of A F Fᵀ Aᵀ. shift: m, D. factor: F, D×D.
AffineGaussian Compose(const AffineGaussian& outer, const Eigen::VectorXd& shift,
                       const Eigen::MatrixXd& factor);

// log N(b + A x) at every column of x (D×N).
Eigen::VectorXd LogDensityOfNoise(const AffineGaussian& gaussian,
                                  const Eigen::Ref<const Eigen::MatrixXd>& x);

// True when all is finite and neither runs away nor collapses: every |b_i| and |A_ij| below 1e8,
// every A_ii above 1e-12.
bool IsReasonable(const AffineGaussian& gaussian);

// What the normal draws of the warm start are for. One stream of random numbers each.
enum class DrawStream : uint32_t {
  kStarts = 1,
  kBatchAndMatch = 2,
  kTempered = 3,
  kCoarsePolish = 4,
  kFinePolish = 5,
  kCompare = 6,
  kProbe = 7,
  kDiagonal = 8,
  kModeStarts = 9,
  kScaleLadder = 10,
  kMixturePolish = 11,
  kMixtureElbo = 12,
  kModeChoices = 13,
};

// Standard normals, D×N; `index` numbers the batches of a stream.
Eigen::MatrixXd Normals(uint64_t seed, DrawStream stream, uint32_t index, int64_t dim,
                        int64_t count);

// Standard normals in antithetic pairs (column j + N/2 is minus column j; N even), transformed so
// that their second moment is exactly I when N ≥ 2D: averages of linear and quadratic functions
// over them are exact. With fewer pairs each coordinate's own second moment is 1.
Eigen::MatrixXd MatchedNormals(uint64_t seed, DrawStream stream, uint32_t index, int64_t dim,
                               int64_t count);

}  // namespace aisivi
