// The affine coupling: two networks, of a scale and of a shift, with the hidden units h_s and h_t.
//
//   T(u_c) = s ⊙ u_c + t
//   s      = softplus(W_s h_s + b_s + offset) + 1e-7,  t = W_t h_t + b_t
//
// with s at least 0.05 and at most 1e9 where it starts as the identity.
// (Dinh et al., ICLR 2017.) See coupling_layer.h for the rest.
#pragma once

#include <cstdint>

#include "engine/proposal/coupling_kernel.h"
#include "engine/proposal/coupling_layer.h"

namespace aisivi {

class Coupling final : public CouplingLayer {
 public:
  // At the start s = 1 with identity_start, else log 2 (PRESETS.md); t = 0.
  Coupling(const CouplingPlace& place, bool identity_start);

  // Forward it is u_c ← s u_c at the start, with one constant s, so a = −log s on the half that it
  // writes, 0 on the other, and g = 0.
  void NormaliseForward(float* parameters) const override;

 protected:
  void Transform(const float* parameters, const float* context, int64_t context_stride,
                 int64_t width, Scratch& scratch, TileMap u, double* log_det) const override;
  void Undo(const float* parameters, const Trace& trace, Scratch& scratch, TileMap changed,
            double* log_det) const override;
  void UndoBackward(const float* parameters, const Trace& trace, float det_weight, Scratch& scratch,
                    TileMap grad_changed, TileMap grad_hidden, float* gradient) const override;

 private:
  // Of a trace: the arguments of the softplus, then s; changed × n each.
  TileMap Argument(const Trace& trace) const { return Rows(trace.raw, 0, place_.changed); }
  TileMap Scale(const Trace& trace) const {
    return Rows(trace.raw, place_.changed, place_.changed);
  }

  const CouplingScale scale_;
  const int64_t w_scale_, b_scale_, w_shift_, b_shift_;
};

}  // namespace aisivi
