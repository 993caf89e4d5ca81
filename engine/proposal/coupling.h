// One conditional affine coupling with activation normalisation.
//
// The coordinates of u are split in two halves; the kept half k is read, the changed half c
// written:
//   h   = ReLU(W_k u_k + W_x x + b)         hidden units of the scale MLP, then of the shift MLP
//   s   = softplus(W_s h_s + b_s + offset) + 1e-7,  t = W_t h_t + b_t
//   u_c ← s ⊙ u_c + t, then u ← e^a ⊙ u + g on both halves (activation normalisation)
//   log |det| = Σ log s + Σ a
// (Dinh et al., ICLR 2017; Kingma & Dhariwal, NeurIPS 2018.) Only the live halves are multiplied.
// Sampling runs this way; training runs its inverse.
//
// W_x x + b depends on the point alone: it is computed once per point (AddContext) and shared by
// all inner samples of that point.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "engine/nn/tile.h"
#include "engine/parallel/rng.h"

namespace aisivi {

class Coupling {
 public:
  // kept/changed: row ranges of u (E×n). hidden: units of each of the two MLPs.
  Coupling(int64_t kept_first, int64_t kept, int64_t changed_first, int64_t changed, int64_t dim,
           int64_t hidden, bool identity_start, int64_t parameter_offset);

  int64_t parameter_count() const { return count_; }
  int64_t context_rows() const { return 2 * hidden_; }

  // Last layers zero, so that s and t do not depend on u and x; s = 1 with identity_start, else
  // log 2 (PRESETS.md).
  void Initialize(const RngStream& stream, float* parameters) const;

  // context ← W_x x + b; x: D×m column-major; context: 2·hidden × m block, a column per point.
  void Context(const float* parameters, const Eigen::MatrixXf& x,
               Eigen::Ref<Eigen::MatrixXf> context) const;

  // u: E×n, overwritten. Column i belongs to the point whose context column is i / width.
  // Adds log |det| of each column to log_det (n).
  void Forward(const float* parameters, const float* context, int64_t context_stride, int64_t width,
               Scratch& scratch, TileMap u, double* log_det) const;

  // What Inverse leaves for Backward; lives in the scratch.
  struct Trace {
    TileMap hidden;  // 2·hidden × n after ReLU
    TileMap scale;   // changed × n: s
    TileMap raw;     // changed × n: the argument of the softplus
    TileMap u;       // E×n: u before the coupling (the result of Inverse)
    TileMap normed;  // E×n: u after the coupling, before the activation normalisation
  };
  // The inverse direction, for training: u (E×n) is overwritten with its pre-image. x: D×n, one
  // column per sample. Both are padded tiles. Adds log |det| of the forward map to log_det.
  Trace Inverse(const float* parameters, const ConstTileMap& x, Scratch& scratch, TileMap u,
                double* log_det) const;

  // Sets a and g so that this batch leaves the normalisation with mean 0 and sd 1 in the inverse
  // direction. u: E×n, the input of Inverse.
  void InitializeNormalisation(const ConstTileMap& u, float* parameters) const;

  // Sets a and g so that the coupling, with its last layers zero, maps base noise to itself:
  // forward it is u_c ← s u_c there, with one constant s (log 2, unless it is 1), so a = −log s on
  // the half that it writes, 0 on the other, and g = 0. This is what normalising in the forward
  // direction comes to with infinitely many base samples.
  void NormaliseForward(float* parameters) const;

  // On entry grad_u is d loss / d (result of Inverse); on return d loss / d (its input).
  // det_weight: the loss holds det_weight · Σ_columns log |det| of the forward map.
  // grad_context (2·hidden × n) is overwritten. Adds the parameter gradient, that of W_x apart.
  void Backward(const float* parameters, const Trace& trace, float det_weight, Scratch& scratch,
                TileMap grad_u, TileMap grad_context, float* gradient) const;
  // Adds the gradient of W_x and b given grad_context (2·hidden × n) and x (D×n).
  void ContextBackward(const ConstTileMap& grad_context, const ConstTileMap& x,
                       float* gradient) const;

 private:
  int64_t kept_first_, kept_, changed_first_, changed_, dim_, hidden_;
  float offset_;
  int64_t count_ = 0;
  int64_t w_kept_, w_x_, b_hidden_, w_scale_, b_scale_, w_shift_, b_shift_, log_norm_, norm_shift_;
};

}  // namespace aisivi
