#include "client/experiments/logistic_density.h"

#include <cmath>

namespace aisivi::experiments {

Eigen::VectorXd LogisticLogDensity(const LogisticData& data, const Eigen::MatrixXd& z) {
  const Eigen::ArrayXXd eta = (data.x * z).array();
  // log(1 + e^η) without overflow.
  const Eigen::ArrayXXd softplus = eta.max(0.0) + (-eta.abs()).exp().log1p();
  const Eigen::ArrayXd likelihood =
      (eta.colwise() * data.y.array() - softplus).colwise().sum().transpose();
  const Eigen::ArrayXd prior =
      -0.5 * data.prior_precision * z.array().square().colwise().sum().transpose();
  const double constant =
      0.5 * static_cast<double>(z.rows()) * std::log(data.prior_precision / (2 * M_PI));
  return (likelihood + prior + constant).matrix();
}

}  // namespace aisivi::experiments
