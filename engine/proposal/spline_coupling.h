// The spline coupling: neural spline flows (Durkan, Bekasov, Murray & Papamakarios, NeurIPS 2019,
// arXiv 1906.04032).
//
//   r = W h + b                  kSplineOutputs numbers for each changed coordinate, one network
//   u_c = f(v_c; r),  T = f⁻¹    f: rational_quadratic.h
//
// f maps towards the base: densities and training evaluate it, samples solve for its inverse. With
// a zero last layer r = 0 and T is the identity. See coupling_layer.h for the rest.
#pragma once

#include <cstdint>

#include "engine/proposal/coupling_layer.h"

namespace aisivi {

class SplineCoupling final : public CouplingLayer {
 public:
  explicit SplineCoupling(const CouplingPlace& place);

  // a = 0 and g = 0: T is the identity already.
  void NormaliseForward(float* parameters) const override;

 protected:
  void Transform(const float* parameters, const float* context, int64_t context_stride,
                 int64_t width, Scratch& scratch, TileMap u, double* log_det) const override;
  void Undo(const float* parameters, const Trace& trace, Scratch& scratch, TileMap changed,
            double* log_det) const override;
  void UndoBackward(const float* parameters, const Trace& trace, float det_weight, Scratch& scratch,
                    TileMap grad_changed, TileMap grad_hidden, float* gradient) const override;

 private:
  const int64_t w_, b_;
};

}  // namespace aisivi
