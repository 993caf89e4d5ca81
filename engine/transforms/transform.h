// One block of elements that are transformed together: all elements of a parameter where each is
// transformed by itself, else one vector or matrix.
#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace aisivi {

// y: coordinates() numbers. x: elements() numbers, a matrix column after column.
// Thread safety: immutable; all methods may be called at once.
class Transform {
 public:
  virtual ~Transform() = default;

  virtual int64_t coordinates() const = 0;
  virtual int64_t elements() const = 0;

  // Fills x; returns log|J|, J = ∂x/∂y over the free elements of x.
  virtual double Constrain(const double* y, double* x) const = 0;

  // Fills grad_y = ∇_y (f(x(y)) + log|J|), from x as Constrain(y) gave it and grad_x = ∂f/∂x, every
  // element taken for itself.
  virtual void PullBack(const double* y, const double* x, const double* grad_x,
                        double* grad_y) const = 0;

  // Fills y so that x(y) = x. INVALID_ARGUMENT, a message to follow the parameter's name, where x
  // does not satisfy the constraint strictly; y is then undefined.
  virtual absl::Status Unconstrain(const double* x, double* y) const = 0;
};

// Of sums, norms and symmetry, as in Stan's checks (CONSTRAINT_TOLERANCE).
inline constexpr double kConstraintTolerance = 1e-8;

}  // namespace aisivi
