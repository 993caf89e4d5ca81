// A coupling of the proposal's flow: what all kinds of it have in common.
//
// The coordinates of u ∈ R^E are split in two halves; the kept half k is read, the changed half c
// written, each of its coordinates by an increasing map T whose parameters come from a network:
//   h   = ReLU(W_k u_k + W_x x + b)           hidden units of all networks of the coupling
//   u_c ← T(u_c; h), then u ← e^a ⊙ u + g on both halves (activation normalisation)
//   log |det| = Σ log T' + Σ a
// (Dinh et al., ICLR 2017; Kingma & Dhariwal, NeurIPS 2018.) Only the live halves are multiplied.
// Sampling runs this way; training runs its inverse. What T is, and its last layer, is a kind's
// own: affine (coupling.h) or a spline (spline_coupling.h). couplings.h lists the kinds.
//
// W_x x + b depends on the point alone: it is computed once per point (Context) and shared by all
// inner samples of that point.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "engine/nn/tile.h"
#include "engine/parallel/rng.h"
#include "engine/proposal/activation_normalisation.h"

namespace aisivi {

// Where a coupling stands in its flow.
struct CouplingPlace {
  int64_t kept_first, kept, changed_first, changed;  // row ranges of u (E×n)
  int64_t dim;                                       // D
  int64_t hidden;                                    // units of each network of the coupling
  int64_t parameter_offset;                          // of its parameters among those of the flow
};

// Holds sizes only; the parameters are the caller's. Const methods are thread-safe.
class CouplingLayer {
 public:
  virtual ~CouplingLayer() = default;

  int64_t parameter_count() const { return count_; }
  int64_t context_rows() const { return hidden_rows_; }

  // The last layer zero, so that T does not depend on u_k and x.
  void Initialize(const RngStream& stream, float* parameters) const;

  // context ← W_x x + b; x: D×m column-major; context: context_rows × m block, a column per point.
  void Context(const float* parameters, const Eigen::MatrixXf& x,
               Eigen::Ref<Eigen::MatrixXf> context) const;

  // u: E×n, a padded tile, overwritten. Column i belongs to the point whose context column is
  // i / width. Adds log |det| of each column to log_det (n).
  void Forward(const float* parameters, const float* context, int64_t context_stride, int64_t width,
               Scratch& scratch, TileMap u, double* log_det) const;

  // What Inverse leaves for Backward; lives in the scratch.
  struct Trace {
    TileMap hidden;  // context_rows × n after ReLU
    TileMap raw;     // what the kind needs, n columns
    TileMap u;       // E×n: u before the coupling (the result of Inverse)
    TileMap normed;  // E×n: u after the coupling, before the activation normalisation
  };
  // The inverse direction, for training: u (E×n) is overwritten with its pre-image. x: D×n, one
  // column per sample. Both are padded tiles. Adds log |det| of the forward map to log_det.
  Trace Inverse(const float* parameters, const ConstTileMap& x, Scratch& scratch, TileMap u,
                double* log_det) const;

  // Sets a and g so that this batch leaves the normalisation with mean 0 and sd 1 in the inverse
  // direction. u: E×n, the input of Inverse.
  void InitializeNormalisation(const ConstTileMap& u, float* parameters) const {
    norm_.Initialize(u, parameters);
  }

  // Sets a and g so that the coupling, with its last layer zero, maps base noise to itself. This is
  // what normalising in the forward direction comes to with infinitely many base samples.
  virtual void NormaliseForward(float* parameters) const = 0;

  // On entry grad_u is d loss / d (result of Inverse); on return d loss / d (its input).
  // det_weight: the loss holds det_weight · Σ_columns log |det| of the forward map.
  // grad_context (context_rows × n) is overwritten. Adds the parameter gradient, that of W_x apart.
  void Backward(const float* parameters, const Trace& trace, float det_weight, Scratch& scratch,
                TileMap grad_u, TileMap grad_context, float* gradient) const;
  // Adds the gradient of W_x and b given grad_context (context_rows × n) and x (D×n).
  void ContextBackward(const ConstTileMap& grad_context, const ConstTileMap& x,
                       float* gradient) const;

 protected:
  // hidden_rows: hidden units of all networks; last_layer: parameters of the kind's own, which
  // begin at last_layer_; raw_rows: of a trace.
  CouplingLayer(const CouplingPlace& place, int64_t hidden_rows, int64_t last_layer,
                int64_t raw_rows);

  // The changed half of u through T; u and log_det as in Forward.
  virtual void Transform(const float* parameters, const float* context, int64_t context_stride,
                         int64_t width, Scratch& scratch, TileMap u, double* log_det) const = 0;
  // The way back: `changed`, rows of trace.u, are overwritten with their pre-image under T and
  // log T' there is added to log_det. trace.hidden and trace.normed are set; sets trace.raw.
  virtual void Undo(const float* parameters, const Trace& trace, Scratch& scratch, TileMap changed,
                    double* log_det) const = 0;
  // Its gradient: grad_changed as grad_u of Backward, of the changed half and by way of T's
  // argument alone; grad_hidden (context_rows × n) ← d loss / d hidden. Needs changed > 0.
  virtual void UndoBackward(const float* parameters, const Trace& trace, float det_weight,
                            Scratch& scratch, TileMap grad_changed, TileMap grad_hidden,
                            float* gradient) const = 0;

  const CouplingPlace place_;
  const int64_t hidden_rows_, raw_rows_;
  const int64_t w_kept_, w_x_, b_hidden_, last_layer_;  // where parameters begin
  const ActivationNormalisation norm_;

 private:
  const int64_t count_;
};

}  // namespace aisivi
