// The semi-implicit family: q(x) = ∫ q(x|ε) p(ε) dε in whitened coordinates x ∈ R^D.
//
//   q(x|ε) = N(x; μ_φ(ε), diag σ²),  x = h_φ(ε, η) = μ_φ(ε) + σ ⊙ η,  η ~ N(0, I)
//   μ_φ(ε) = [√(1−σ₀²) ε ⊙ σ/σ₀ +] MLP_φ(ε), two hidden layers with ReLU
//   σ      = scale · softplus(ρ) + 1e-10                     without the skip, ρ starts at 1
//          = σ₀ exp(4.5 tanh(ρ/4.5)), ρ starts at 0          with it; ρ a vector (μ then has the
//            plain skip √(1−σ₀²) ε) or an output of the MLP: x = σ(ε)/σ₀ ⊙ (√(1−σ₀²) ε + σ₀ η) +
//            MLP(ε) bends scales as funnels and heavy tails need
//   p(ε)   = N(0, I_E) or uniform on [0,1]^E; or, with particles, equal weights on M points e_j of
//            R^E that are trained as the networks are (PVI: Lim & Johansen, NeurIPS 2024). The
//            latent is then one uniform number ε ∈ (0, 1), e_⌊Mε⌋ stands for ε above, and q is a
//            mixture of M Gaussians, known exactly.
//
// With the skip the last layer starts at zero: q(x) = N(0, I) exactly, but for particles (DESIGN.md
// §2).
// Shapes: ε E×n (1×n with particles), η, x, μ, σ D×n, one sample per column.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "engine/family/sigma.h"
#include "engine/nn/mlp.h"
#include "engine/nn/tile.h"

namespace aisivi {

struct FamilyConfig {
  int64_t dim = 1;         // D
  int64_t latent_dim = 1;  // E
  int64_t hidden = 64;
  bool gaussian_latent = true;  // else uniform on [0,1]^E
  bool linear_skip = true;      // needs E = D and a Gaussian latent
  bool sigma_network = false;   // σ(ε) from the MLP; needs the skip
  float sigma_scale = 0.3f;     // σ₀, or the scale of the softplus
  int64_t particles = 0;        // M; 0: ε ~ p(ε)
};

// q(x|ε) for a tile of ε.
struct Conditional {
  TileMap mean;           // D×n
  TileMap inv_sigma;      // D×n, or D×1 when σ is one vector for all ε
  const double* log_det;  // n (or 1): Σ_d log σ_d
  bool shared_sigma;
};

// Immutable after training; const methods are thread-safe.
class Family {
 public:
  Family() = default;
  explicit Family(const FamilyConfig& config);

  const FamilyConfig& config() const { return config_; }
  int64_t dim() const { return config_.dim; }
  int64_t latent_dim() const { return config_.particles > 0 ? 1 : config_.latent_dim; }
  int64_t particles() const { return config_.particles; }
  // Whether σ is one vector for all ε.
  bool shares_sigma() const { return !config_.sigma_network; }
  Eigen::VectorXf& parameters() { return parameters_; }
  const Eigen::VectorXf& parameters() const { return parameters_; }
  // The start of component number `component` of a model.
  void Initialize(uint64_t seed, uint32_t component = 0);
  // Whether q is N(0, I) exactly, as with the skip it is until the first step.
  bool IsStandardNormal() const;

  // ε ~ p(ε), E×n, from the stream.
  void SampleLatent(const RngStream& stream, TileMap epsilon) const;
  // Particles `first`, `first` + 1, …, one per column: the latents (1×n) that stand for them.
  void EnumerateLatent(int64_t first, TileMap epsilon) const;
  // log p(ε) for each column; added to log_p (n).
  void AddLogPrior(const ConstTileMap& epsilon, double* log_p) const;

  // The conditional of every column of ε. Its arrays live in the scratch.
  Conditional Evaluate(const ConstTileMap& epsilon, Scratch& scratch) const;
  // 1/σ (D) when σ is one vector for all ε, else must not be called.
  void SharedInverseSigma(float* inv_sigma) const;
  // x = μ + σ ⊙ η.
  void Sample(const Conditional& conditional, const ConstTileMap& eta, TileMap x) const;

  // Adds the gradient of a loss with d loss / d x = grad_x (D×n) at x = h_φ(ε, η) to `gradient`
  // (parameter_count). grad_log_sigma: D×n, what the loss owes to log σ(ε) beside the way through
  // x; null: nothing. With η = 0, x is μ(ε).
  void Backward(const ConstTileMap& epsilon, const ConstTileMap& eta, const ConstTileMap& grad_x,
                const ConstTileMap* grad_log_sigma, Scratch& scratch,
                Eigen::VectorXf* gradient) const;

  // log p(ε) + log q(x|ε) (n) and its gradient in ε (E×n), one pair of ε and x (D×n) per column.
  // Not with particles.
  void LatentScore(const ConstTileMap& epsilon, const ConstTileMap& x, Scratch& scratch,
                   double* log_joint, TileMap gradient) const;

 private:
  float MeanSlope() const;  // √(1−σ₀²), or 0 without the skip
  int64_t ParticleOf(float epsilon) const;
  // What the MLP sees, E×n: ε itself, or the particles it stands for.
  ConstTileMap Input(const ConstTileMap& epsilon, Scratch& scratch) const;
  void AddParticleGradient(const ConstTileMap& epsilon, const ConstTileMap& grad_input,
                           Eigen::VectorXf* gradient) const;
  SigmaAndSlope SharedSigmaOf(int64_t d) const;  // of coordinate d; not of a network's σ
  void SigmaFromRho(const ConstTileMap& rho, TileMap inv_sigma, double* log_det) const;

  FamilyConfig config_;
  Mlp mlp_;
  // The MLP's, then ρ (D) unless σ comes from the network, then the particles (E each).
  Eigen::VectorXf parameters_;
  int64_t particles_at_ = 0;  // where those begin
};

}  // namespace aisivi
