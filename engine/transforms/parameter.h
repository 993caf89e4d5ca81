// The named parameters that a density is written in, and how unconstrained coordinates y ∈ R^D
// stand for them: y is the concatenation of the parameters' own coordinates, in order.
//
// Names, shapes and the order of elements are Stan's: elements of an array of arrays run with the
// first index fastest (column-major), "theta[2,1]" comes before "theta[1,2]".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace aisivi {

// What values a parameter may take. The equations are Stan's (reference manual, "Transforms").
enum class ConstraintKind {
  kNone,                // x = y
  kLower,               // x > lower: x = lower + e^y
  kUpper,               // x < upper: x = upper − e^y
  kInterval,            // lower < x < upper: x = lower + (upper − lower) σ(y)
  kAffine,              // x = offset + multiplier y
  kOrdered,             // x_1 < x_2 < …, along the last index
  kPositiveOrdered,     // 0 < x_1 < x_2 < …
  kSimplex,             // x_k > 0, Σ x_k = 1: K elements from K − 1 coordinates
  kSumToZero,           // Σ x_k = 0: likewise
  kCholeskyFactorCov,   // lower triangular with a positive diagonal, over the last two indices
  kCovMatrix,           // symmetric, positive definite
  kCholeskyFactorCorr,  // of a correlation matrix
  kCorrMatrix,
};

struct Constraint {
  ConstraintKind kind = ConstraintKind::kNone;
  double lower = 0, upper = 0;        // of kLower, kUpper, kInterval
  double offset = 0, multiplier = 1;  // of kAffine; multiplier > 0
};

struct Parameter {
  std::string name;            // a name of Stan's: [a-zA-Z][a-zA-Z0-9_]*
  std::vector<int64_t> shape;  // empty: a scalar; each at least 1
  Constraint constraint;       // of every element, or of the last one or two indices together
};

// What a draw is shown as: a named array. `labels` may name its elements instead of their indices
// ("beta[temperature]"): as many as elements, or none.
struct Variable {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<std::string> labels;
  // Not a parameter but a function of the parameters, or of them and random numbers.
  bool derived = false;
};

}  // namespace aisivi
