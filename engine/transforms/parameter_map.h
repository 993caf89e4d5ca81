// From unconstrained coordinates y to named parameters x, and back.
//
//   x = x(y),   log p(y) = log p(x(y)) + log|J(y)|,   J = ∂x/∂y over the free elements of x
//
// y (D×N) is the concatenation of the parameters' own coordinates, x (V×N) that of their elements,
// one point per column. The elements of a parameter run with its first index fastest (parameter.h).
// Transforms of vectors and matrices take the last index, or the last two; the indices before those
// count such vectors, the first of them fastest, and the coordinates of one stand together.
//
// The transforms: registry.h. At |y| ≤ 700 whatever is representable is computed; x may round onto
// the bound that it approaches.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/transforms/parameter.h"

namespace aisivi {

class Transform;  // engine/transforms/transform.h

// V at most, in all parameters: a point of 1 MB.
inline constexpr int64_t kMaxElements = int64_t{1} << 17;
inline constexpr int kMaxParameters = 4096;
inline constexpr int kMaxIndices = 8;
inline constexpr int kMaxNameLength = 63;

// Thread safety: immutable; all methods may be called at once.
class ParameterMap {
 public:
  // INVALID_ARGUMENT "parameters[i].FIELD: …", i from 0, or "parameters: …" for all of them: names
  // that are not Stan's or not unique, shapes that the constraint cannot have, bounds that are not
  // finite or in the wrong order, no coordinates at all, or more than the limits above.
  static absl::StatusOr<ParameterMap> Make(std::vector<Parameter> parameters);

  ParameterMap(ParameterMap&&) noexcept;
  ParameterMap& operator=(ParameterMap&&) noexcept;
  ~ParameterMap();

  int64_t unconstrained() const { return unconstrained_; }  // D, at least 1
  int64_t constrained() const { return constrained_; }      // V
  const std::vector<Parameter>& parameters() const { return parameters_; }

  // D names, unique, in Stan's way: those of the elements, "tau", "theta[2,1]"; where a vector has
  // fewer coordinates than elements, its last indices give way to the coordinate's number.
  std::vector<std::string> CoordinateNames() const;
  // One for each parameter; their elements are the rows of x.
  std::vector<Variable> Variables() const;

  // x: resized to V×N. log_jacobian: null, or resized to N; log|J|.
  void Constrain(const Eigen::Ref<const Eigen::MatrixXd>& y, Eigen::MatrixXd* x,
                 Eigen::VectorXd* log_jacobian) const;

  // grad_y, resized to D×N: ∇_y (log p(x(y)) + log|J|), from x as Constrain(y) gave it and grad_x
  // (V×N), the derivatives of log p in every element of x, each taken for itself: both of a
  // symmetric pair, and any numbers for elements that are constant.
  void PullBack(const Eigen::Ref<const Eigen::MatrixXd>& y,
                const Eigen::Ref<const Eigen::MatrixXd>& x,
                const Eigen::Ref<const Eigen::MatrixXd>& grad_x, Eigen::MatrixXd* grad_y) const;

  // y, resized to D×N, with x(y) = x. INVALID_ARGUMENT "NAME: point n …" (n from 1) where x does
  // not satisfy the constraint strictly; sums and symmetry to 1e-8, as Stan has it. "x: …" where it
  // has not V rows.
  absl::Status Unconstrain(const Eigen::Ref<const Eigen::MatrixXd>& x, Eigen::MatrixXd* y) const;

 private:
  // One parameter: where it stands in y and x, and the transform of one of its `blocks` blocks.
  struct Part {
    std::unique_ptr<const Transform> transform;
    int64_t blocks = 1;
    int64_t coordinate = 0;  // its first row in y
    int64_t element = 0;     // its first row in x
  };

  ParameterMap() = default;

  std::vector<Parameter> parameters_;
  std::vector<Part> parts_;
  int64_t unconstrained_ = 0;
  int64_t constrained_ = 0;
};

}  // namespace aisivi
