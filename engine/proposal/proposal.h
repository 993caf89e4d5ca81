// The proposal τ_θ(ε|x): a conditional normalizing flow on the latent ε ∈ R^E, given x ∈ R^D.
//
//   u ~ N(0, I_E) → couplings (couplings.h), masks alternating between even and odd coordinates → v
//   ε = a x + m_θ(x) + exp(ℓ_θ(x)) ⊙ v           linear base; m, ℓ from one MLP of x
//   ε = sigmoid(v)  or  ε = v                    standard base; uniform or Gaussian latent
//   log τ(ε|x) = log N(u; 0, I) − log |∂ε/∂u|
//
// With the linear base, a = √(1−σ₀²), m = 0 and ℓ = log σ₀ at the start: τ is the exact reverse
// conditional N(a x, σ₀² I) of the family's linear skip (DESIGN.md §2). Without couplings it is the
// diagonal Gaussian of the IWHVI-style method.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/nn/mlp.h"
#include "engine/nn/tile.h"
#include "engine/parallel/thread_pool.h"
#include "engine/proposal/couplings.h"

namespace aisivi {

struct ProposalConfig {
  int64_t dim = 1;           // D
  int64_t latent_dim = 1;    // E
  bool linear_base = true;   // else standard
  float slope = 0;           // a; needs E = D unless 0
  float sigma_scale = 0.3f;  // σ₀ of the linear base
  bool sigmoid = false;      // standard base onto (0,1)^E
  CouplingKind coupling = CouplingKind::kAffine;
  int64_t couplings = 4;
  int64_t coupling_hidden = 0;  // units of each conditioner MLP
  int64_t base_hidden = 64;     // units of each of the two hidden layers of m, ℓ
};

// What depends on the points alone, computed once for all inner samples. One column per point.
struct ProposalContext {
  Eigen::MatrixXf conditioner;  // (couplings · context_rows) × m
  Eigen::MatrixXf mean;         // E×m: a x + m_θ(x)
  Eigen::MatrixXf scale;        // E×m: exp(ℓ)
  Eigen::VectorXd log_scale;    // m: Σ ℓ
  Scratch scratch;              // for making the above
};

// Const methods are thread-safe.
class Proposal {
 public:
  Proposal() = default;
  explicit Proposal(const ProposalConfig& config);

  // Of a proposal with this configuration, without making one.
  static int64_t ParameterCount(const ProposalConfig& config);

  const ProposalConfig& config() const { return config_; }
  Eigen::VectorXf& parameters() { return parameters_; }
  const Eigen::VectorXf& parameters() const { return parameters_; }
  // The start of component number `component` of a model.
  void Initialize(uint64_t seed, uint32_t component = 0);

  // The coordinate of ε that a row of u (and of the noise given to Sample) stands for.
  int64_t NaturalRow(int64_t row) const;
  // The coefficient c of the control variate c u for ∇_x log q(x|ε), u the base noise of ε in
  // natural order: what a unit of noise does to the score of an inner sample at the exact start,
  // a/σ₀. Its mean is 0; taken away it leaves the exact score there. None where no noise is known
  // to matter.
  std::optional<double> ControlCoefficient() const;
  // Whether its base puts ε where it belongs from the start, so that there is nothing for the
  // activation normalisations to be set to (InitializeNormalisation, NormaliseForward).
  bool StartsInPlace() const { return config_.linear_base; }

  // x: D×m, column-major. Parallel over couplings.
  void MakeContext(const Eigen::MatrixXf& x, ThreadPool& pool, ProposalContext* context) const;

  // Draws ε (E×n) for n/width points from `first_point` on, `width` columns each, and writes
  // log τ(ε|x) (n). noise: E×n standard normals, overwritten.
  void Sample(const ProposalContext& context, int64_t first_point, int64_t width, TileMap noise,
              Scratch& scratch, TileMap epsilon, double* log_tau) const;

  // log τ(ε|x), one pair per column. ε: E×n, x: D×n.
  void LogDensity(const ConstTileMap& epsilon, const ConstTileMap& x, Scratch& scratch,
                  double* log_tau) const;

  // −Σ log τ(ε|x) over the columns; adds weight × its gradient to `gradient`.
  double LossAndGradient(const ConstTileMap& epsilon, const ConstTileMap& x, float weight,
                         Scratch& scratch, Eigen::VectorXf* gradient) const;

  // Sets the activation normalisations from a first batch (standard base only): in the inverse
  // direction, so that its ε come from base noise of mean 0 and sd 1, one coordinate at a time.
  void InitializeNormalisation(const ConstTileMap& epsilon, const ConstTileMap& x);
  // Sets them in the forward direction instead, of an untrained flow: the couplings are the
  // identity then, and ε starts as base noise u, or sigmoid(u), whatever x (PRESETS.md).
  void NormaliseForward();

 private:
  struct BaseTrace {
    Mlp::Trace mlp;
    TileMap output;  // 2E×n
    TileMap mean;    // E×n
    TileMap log_scale;
  };
  BaseTrace EvaluateBase(const ConstTileMap& x, Scratch& scratch) const;
  BaseTrace ToFlowSpace(const ConstTileMap& epsilon, const ConstTileMap& x, Scratch& scratch,
                        TileMap v, double* log_tau) const;
  void FromFlowSpace(const ProposalContext& context, int64_t first_point, int64_t width,
                     const TileMap& v, Scratch& scratch, TileMap epsilon, double* log_tau) const;
  // Sends u backwards through all couplings. traces: null, or one for each, in the order of work:
  // last coupling first.
  void InvertCouplings(const ConstTileMap& x, Scratch& scratch, TileMap u, double* log_det,
                       CouplingLayer::Trace* traces) const;
  void BaseBackward(const BaseTrace& trace, const ConstTileMap& grad_v, const ConstTileMap& v,
                    float weight, Scratch& scratch, float* gradient) const;

  ProposalConfig config_;
  std::vector<std::shared_ptr<const CouplingLayer>> couplings_;  // immutable: copies share them
  Mlp base_;
  int64_t base_offset_ = 0;
  Eigen::VectorXf parameters_;  // the couplings', then the base MLP's
};

}  // namespace aisivi
