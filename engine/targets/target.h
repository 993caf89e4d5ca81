// The density a fit approximates.
//
//   log p̃(z), unnormalised, and its score ∇_z log p̃(z), for a batch of points.
//
// A batch is D×N, column-major, one point per column. Every density carries its normalising
// constants (likelihood and prior), so that log Z = log ∫ p̃(z) dz is the log evidence.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/transforms/parameter.h"

namespace aisivi {

// Thread safety: const methods may be called from several threads at once.
class Target {
 public:
  virtual ~Target() = default;

  // The dimension D of z, at least 1.
  virtual int dim() const = 0;

  // Evaluates every column of `z` (D×N, N may be 0).
  //   log_density: resized to N; log p̃ at each point, natural log. -inf and NaN are allowed values
  //                (the engine skips or rejects such points); they are not errors.
  //   score:       null, or resized to D×N; ∇_z log p̃ at each point.
  // Returns an error only when the target cannot be evaluated at all. Never throws.
  virtual absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z,
                                Eigen::VectorXd* log_density, Eigen::MatrixXd* score) const = 0;

  // One name per coordinate of z, unique, in order. Default: "z[1]" … "z[D]".
  virtual std::vector<std::string> CoordinateNames() const;

  // What draws are shown as, on the scale that the density is written in. Default: z itself, one
  // vector "z" or, where CoordinateNames() says otherwise, one scalar for each.
  virtual std::vector<Variable> Variables() const;

  // The elements of Variables() at every column of `z` (D×N), one after the other: `values`,
  // resized to P×N. Random numbers that derived variables need are a function of (seed, first +
  // column). Returns an error only when they cannot be computed at all. Never throws. Default: z.
  virtual absl::Status Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t seed,
                                 int64_t first, Eigen::MatrixXd* values) const;

  // How many points a call of Evaluate() should have, at least 1; threads share what is left of a
  // batch. `usual` suits a density that is cheap and here. More where a call costs much beside its
  // points (a process or a network away), up to kWholeBatch: then one thread at a time asks for all
  // of them. Fewer where a point alone may take milliseconds. Must depend on nothing but `usual`.
  static constexpr int64_t kWholeBatch = std::numeric_limits<int64_t>::max();
  virtual int64_t PointsPerCall(int64_t usual) const { return usual; }
};

}  // namespace aisivi
