// The marginal density q(z) of a model, its score, and the density that includes the generating ε₀.
//
//   q̂(z)  = Σ_c π_c q̂_c(z)                          unbiased; K inner samples in each component
//   q̂₊(z) = the same with ε₀ as one more sample of the component c₀ that generated z, and one more
//           fresh sample in every other: E log q̂₊(z) ≥ log q(z), and E[p̃(z)/q̂₊(z)] = Z (DESIGN.md
//           §1)
//
// Components too far from a point to matter (below e^-40 of its density) are left out.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "engine/methods/estimator.h"
#include "engine/model/model_state.h"

namespace aisivi {

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
  // How the inner samples are drawn; null: τ where a component has one, else p(ε).
  EstimateFunction estimate = nullptr;
  bool own_epsilon = false;  // hand ε₀ to `estimate` as inner samples of the point's component
  uint64_t seed = 0;
  RngPurpose purpose = RngPurpose::kInner;
  uint32_t iteration = 0;
  int64_t samples = 1;  // K
  bool want_score = false;
  bool want_plus = false;
  const std::atomic<bool>* cancel = nullptr;  // as in InnerRequest
};

struct MarginalEstimate {
  Eigen::VectorXd log_q;       // m: log q̂(z)
  Eigen::VectorXd log_q_plus;  // m: log q̂₊(z), if wanted
  Eigen::MatrixXd score;       // D×m: ∇_z log q, if wanted
  // m, in (0, 1]: of the component that generated z; without origin 1/(1 + v), where v/K is the
  // relative variance of q̂.
  Eigen::VectorXd ess;

  // What it is made in, kept from call to call so that nothing is allocated anew.
  struct Work {
    InnerEstimate inner;             // of the last component
    Eigen::MatrixXd shifted, reach;  // D×m; C×m
    std::vector<Eigen::MatrixXf> x;  // z in each component's coordinates
    Eigen::RowVectorXd best;         // m
    std::vector<int> own, other;     // points that the component did and did not generate
    Eigen::MatrixXf part, epsilon;   // x and ε₀ of those
    Eigen::VectorXd log_q, plus;     // theirs
  } work;
};

void EstimateMarginal(const MarginalRequest& request, ThreadPool& pool, Workspace& workspace,
                      MarginalEstimate* estimate);

}  // namespace aisivi
