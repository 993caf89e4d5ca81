#include "engine/transforms/matrix_checks.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "engine/transforms/transform.h"

namespace aisivi {

void Product(const Eigen::MatrixXd& l, double* x) {
  const Eigen::Index size = l.rows();
  Eigen::Map<Eigen::MatrixXd> result(x, size, size);
  for (Eigen::Index j = 0; j < size; ++j) {
    for (Eigen::Index i = j; i < size; ++i) {
      result(i, j) = l.row(i).head(j + 1).dot(l.row(j).head(j + 1));
      result(j, i) = result(i, j);
    }
  }
}

absl::Status CheckFactor(const Eigen::Ref<const Eigen::MatrixXd>& l) {
  for (Eigen::Index j = 0; j < l.cols(); ++j) {
    for (Eigen::Index i = 0; i < l.rows(); ++i) {
      const char* want = nullptr;
      if (!std::isfinite(l(i, j))) want = "finite";
      if (i < j && l(i, j) != 0) want = "0, as above the diagonal";
      if (i == j && !(l(i, j) > 0)) want = "positive, as on the diagonal";
      if (want == nullptr) continue;
      return absl::InvalidArgumentError(
          absl::StrFormat("row %d column %d is %g, not %s", i + 1, j + 1, l(i, j), want));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Eigen::MatrixXd> FactorOf(const Eigen::Ref<const Eigen::MatrixXd>& x) {
  if (!x.allFinite()) return absl::InvalidArgumentError("is not finite");
  const double scale = std::max(1.0, x.cwiseAbs().maxCoeff());
  if ((x - x.transpose()).cwiseAbs().maxCoeff() > kConstraintTolerance * scale) {
    return absl::InvalidArgumentError("is not symmetric");
  }
  const Eigen::LLT<Eigen::MatrixXd> llt(x);
  const Eigen::MatrixXd l = llt.matrixL();
  // A semidefinite matrix may pass, with a zero or a number of rounding size on the diagonal.
  if (llt.info() != Eigen::Success || !(l.diagonal().array() > 0).all()) {
    return absl::InvalidArgumentError("is not positive definite");
  }
  return l;
}

}  // namespace aisivi
