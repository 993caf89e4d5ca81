// Products and factors of symmetric matrices, and what is wrong with those that are none.
#pragma once

#include <Eigen/Core>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace aisivi {

// x (K×K, column after column) = L Lᵀ, symmetric to the last bit. `l`: lower triangular, zeros
// above.
void Product(const Eigen::MatrixXd& l, double* x);

// INVALID_ARGUMENT unless `l` is finite, zero above its diagonal and positive on it.
absl::Status CheckFactor(const Eigen::Ref<const Eigen::MatrixXd>& l);

// The lower Cholesky factor. INVALID_ARGUMENT unless `x` is symmetric (to 1e-8, or to 1e-8 of its
// largest entry) and positive definite.
absl::StatusOr<Eigen::MatrixXd> FactorOf(const Eigen::Ref<const Eigen::MatrixXd>& x);

}  // namespace aisivi
