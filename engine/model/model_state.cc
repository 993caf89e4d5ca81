#include "engine/model/model_state.h"

namespace aisivi {

AffineMap AffineMap::Identity(int64_t dim) {
  return {Eigen::VectorXd::Zero(dim), Eigen::MatrixXd::Identity(dim, dim)};
}

double AffineMap::LogDet() const { return scale.diagonal().array().log().sum(); }

Eigen::MatrixXd AffineMap::Apply(const Eigen::Ref<const Eigen::MatrixXf>& x) const {
  Eigen::MatrixXd z = scale.triangularView<Eigen::Lower>() * x.cast<double>();
  z.colwise() += shift;
  return z;
}

Eigen::MatrixXf AffineMap::Solve(const Eigen::Ref<const Eigen::MatrixXd>& z) const {
  Eigen::MatrixXd x = z.colwise() - shift;
  scale.triangularView<Eigen::Lower>().solveInPlace(x);
  return x.cast<float>();
}

}  // namespace aisivi
