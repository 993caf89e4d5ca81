// The base of the annealing: a mixture of Student-t distributions around the fitted components.
//
//   b(z) = (1/K) Σ_k b_k(z),   b_k(z) = Σ_ν s_ν t_ν(z; m_k, A_k A_kᵀ),   ν ∈ {20, 3}
//   log t_ν(z; m, A Aᵀ) = log Γ((ν+D)/2) − log Γ(ν/2) − (D/2) log νπ − Σ_i log A_ii
//                         − (ν+D)/2 log(1 + ‖y‖²/ν),   y = A⁻¹(z − m)
//   ∇ log b_k(z) = −g_k A_k⁻ᵀ y_k,   g_k = Σ_ν (share of ν in b_k(z)) (ν+D)/(ν+‖y_k‖²)
//
// Shares: s_20 = 0.7 and s_3 = 0.3; with more than 10 components s_20 = 1, for the far tails of
// many components cost more than they bring. Weights are equal whatever those of the fit: a
// component that the fit takes for small is then looked at as well as any other. Source:
// EXPLORER.md, step 4.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "engine/parallel/thread_pool.h"
#include "engine/warmstart/affine_gaussian.h"
#include "engine/warmstart/mixture_fit.h"

namespace aisivi {

struct AnnealingBase {
  std::vector<AffineGaussian> components;  // K ≥ 1
  double heavy_share = 0;                  // s_3

  int64_t size() const { return static_cast<int64_t>(components.size()); }
  int64_t dim() const { return components.front().dim(); }
};

AnnealingBase MakeBase(std::vector<AffineGaussian> components);
std::vector<AffineGaussian> ComponentsOf(const MixtureFit& fit);

// D×N, the draws of island `island`. Components and degrees of freedom have their share of the N to
// within one; the draws are in the order of the components.
Eigen::MatrixXd DrawBase(const AnnealingBase& base, uint64_t seed, uint32_t island, int64_t count);

// What is known of the base at n points.
struct BaseTerms {
  Eigen::MatrixXd log_component;          // n×K, log b_k(z)
  Eigen::MatrixXd slope;                  // n×K, g_k
  std::vector<Eigen::MatrixXd> whitened;  // K, D×n, y_k
  Eigen::VectorXd log_base;               // n, log b(z)

  // r_k(z) = b_k(z) / (K b(z)), n×K.
  Eigen::MatrixXd Responsibilities() const;
};

// At the columns of z (D×n, a few dozen: the work of one thread).
BaseTerms EvaluateBase(const AnnealingBase& base, const Eigen::Ref<const Eigen::MatrixXd>& z);

// Σ_k c_k ∇ log b_k(z), D×n; `coefficients`: n×K.
Eigen::MatrixXd SumOfScores(const AnnealingBase& base, const BaseTerms& terms,
                            const Eigen::MatrixXd& coefficients);

// log b(z) at the columns of z (D×N).
Eigen::VectorXd LogBase(const AnnealingBase& base, const Eigen::Ref<const Eigen::MatrixXd>& z,
                        ThreadPool& pool);

// The component with the largest b_k(z), for every column of z (D×N).
std::vector<int> NearestComponents(const AnnealingBase& base,
                                   const Eigen::Ref<const Eigen::MatrixXd>& z, ThreadPool& pool);

// The share of the columns of z (D×N) whose nearest component is k, K; NaN when N = 0.
Eigen::VectorXd ComponentShares(const AnnealingBase& base,
                                const Eigen::Ref<const Eigen::MatrixXd>& z, ThreadPool& pool);

}  // namespace aisivi
