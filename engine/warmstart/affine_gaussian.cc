#include "engine/warmstart/affine_gaussian.h"

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <cmath>

namespace aisivi {

AffineGaussian AffineGaussian::Isotropic(int64_t dim, double sd) {
  return {Eigen::VectorXd::Zero(dim), Eigen::MatrixXd::Identity(dim, dim) * sd};
}

Eigen::MatrixXd LowerFactor(const Eigen::MatrixXd& m) {
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(m.transpose());
  const Eigen::MatrixXd upper = qr.matrixQR().topRows(m.rows()).triangularView<Eigen::Upper>();
  Eigen::MatrixXd lower = upper.transpose();
  for (int64_t i = 0; i < lower.cols(); ++i) {
    if (lower(i, i) < 0) lower.col(i) = -lower.col(i);
  }
  return lower;
}

AffineGaussian Compose(const AffineGaussian& outer, const Eigen::VectorXd& shift,
                       const Eigen::MatrixXd& factor) {
  AffineGaussian result;
  result.mean = outer.mean + outer.scale.triangularView<Eigen::Lower>() * shift;
  const Eigen::MatrixXd product = outer.scale.triangularView<Eigen::Lower>() * factor;
  result.scale = LowerFactor(product);
  return result;
}

Eigen::VectorXd LogDensityOfNoise(const AffineGaussian& gaussian,
                                  const Eigen::Ref<const Eigen::MatrixXd>& x) {
  const double constant = gaussian.scale.diagonal().array().log().sum() +
                          0.5 * static_cast<double>(gaussian.dim()) * std::log(2 * M_PI);
  return -0.5 * x.colwise().squaredNorm().transpose().array() - constant;
}

bool IsReasonable(const AffineGaussian& gaussian) {
  constexpr double kLargest = 1e8, kSmallest = 1e-12;
  return gaussian.mean.allFinite() && gaussian.scale.allFinite() &&
         gaussian.mean.cwiseAbs().maxCoeff() < kLargest &&
         gaussian.scale.cwiseAbs().maxCoeff() < kLargest &&
         gaussian.scale.diagonal().minCoeff() > kSmallest;
}

Eigen::MatrixXd Normals(uint64_t seed, DrawStream stream, uint32_t index, int64_t dim,
                        int64_t count) {
  Eigen::MatrixXf values(dim, count);
  FillNormal({.seed = seed,
              .purpose = RngPurpose::kWarmStart,
              .iteration = index,
              .shard = static_cast<uint32_t>(stream)},
             values.data(), values.size());
  return values.cast<double>();
}

Eigen::MatrixXd MatchedNormals(uint64_t seed, DrawStream stream, uint32_t index, int64_t dim,
                               int64_t count) {
  const int64_t pairs = count / 2;
  Eigen::MatrixXd half = Normals(seed, stream, index, dim, pairs);
  if (pairs >= dim) {
    const Eigen::MatrixXd moment = half * half.transpose() / static_cast<double>(pairs);
    const Eigen::LLT<Eigen::MatrixXd> cholesky(moment);
    cholesky.matrixL().solveInPlace(half);
  } else {
    const Eigen::VectorXd norm = half.rowwise().norm() / std::sqrt(static_cast<double>(pairs));
    half.array().colwise() /= norm.array();
  }
  Eigen::MatrixXd result(dim, 2 * pairs);
  result << half, -half;
  return result;
}

}  // namespace aisivi
