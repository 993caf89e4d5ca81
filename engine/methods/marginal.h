// The marginal density q(z) of a model, its score, and the density that includes the generating ε₀.
//
//   q̂(z)  = Σ_c π_c q̂_c(z)                          unbiased; K inner samples in each component
//   q̂₊(z) = the same with ε₀ as one more sample of the component c₀ that generated z, and one more
//           fresh sample in every other: E log q̂₊(z) ≥ log q(z), and E[p̃(z)/q̂₊(z)] = Z (DESIGN.md
//           §1)
//
// A component whose networks are as they started is the Gaussian N(b_c, A_c A_cᵀ) exactly, and so
// evaluated: no inner samples, no error, nothing left out, however many there are.
//
// What a trained component reaches is not bounded: σ(ε) grows by up to e^4.5, and nothing limits
// the mean. Where it seems too far from a point to matter (its Gaussian, widened by half, is below
// e^-40 of the largest) it gets `far_samples` inner samples instead of K. That costs little and
// leaves both estimates what they are: n_c = K + 1 or far_samples + 1 depends on z and c alone,
// never on c₀, so ε₀ is one of n_c exchangeable samples of its component wherever that stands, and
//   E[p̃/q̂₊] = ∫ p̃ Σ_c π_c E[v_c0/q̂₊] dz = ∫ p̃ Σ_c π_c E[Σ_i v_ci/n_c /q̂₊] dz = Z,
// and E log q̂₊ ≥ log q, the difference being a KL divergence. With far_samples = 0 such components
// are left out: for steering training, where q̂ too small by what they hold does no harm.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/methods/estimator.h"
#include "engine/model/model_state.h"

namespace aisivi {

// far_samples that cost little beside K: one in 128, and enough for a mean.
inline int64_t FarSamples(int64_t samples) {
  return std::min(samples, std::max<int64_t>(2, samples / 128));
}

// The discrete and continuous latents that generated a batch of points.
struct Origin {
  std::vector<int> component;  // m: c₀
  Eigen::MatrixXf epsilon;     // E×m: ε₀
};

using EstimateFunction = void (*)(const InnerRequest&, ThreadPool&, Workspace&, InnerEstimate*);

struct MarginalRequest {
  const ModelState* state = nullptr;
  const Eigen::MatrixXd* z = nullptr;  // D×m
  const Origin* origin = nullptr;      // null: unknown; log_q_plus is then not made
  // How the inner samples are drawn; null: not at all where a component is Gaussian, from τ where
  // it has one, else from p(ε).
  EstimateFunction estimate = nullptr;
  bool uses_own_epsilon = false;  // hand ε₀ to `estimate` as inner samples of the point's component
  uint64_t seed = 0;
  RngPurpose purpose = RngPurpose::kInner;
  uint32_t iteration = 0;
  int64_t samples = 1;      // K
  int64_t far_samples = 0;  // of components far from a point; ≤ K
  bool want_score = false;
  bool want_plus = false;
  const std::atomic<bool>* cancel = nullptr;  // as in InnerRequest
};

struct MarginalEstimate {
  Eigen::VectorXd log_q;       // m: log q̂(z)
  Eigen::VectorXd log_q_plus;  // m: log q̂₊(z), if wanted
  Eigen::MatrixXd score;       // D×m: ∇_z log q, if wanted
  // m, in (0, 1]: of the component that generated z; without origin 1/(1 + v), where v/K is the
  // relative variance of q̂. 1 where no inner samples were needed.
  Eigen::VectorXd ess;

  // What it is made in, kept from call to call so that nothing is allocated anew.
  struct Work {
    InnerEstimate inner;             // of the last component
    Eigen::MatrixXd shifted;         // D×m
    Eigen::MatrixXd squares, reach;  // C×m: ‖x‖²; log density of the widened Gaussian
    std::vector<Eigen::MatrixXf> x;  // z in each component's coordinates
    Eigen::RowVectorXd best;         // m
    std::vector<int> points;         // that a component is evaluated at together
    Eigen::MatrixXf part, epsilon;   // x and ε₀ of those
    Eigen::VectorXd log_q, plus;     // theirs
  } work;
};

// Whether points of one call share inner samples, so that their errors are correlated: where a
// component that is not Gaussian draws them from p(ε).
bool SharesInnerSamples(const ModelState& state);

void EstimateMarginal(const MarginalRequest& request, ThreadPool& pool, Workspace& workspace,
                      MarginalEstimate* estimate);

}  // namespace aisivi
