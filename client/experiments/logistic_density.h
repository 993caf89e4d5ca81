// The unnormalised posterior of a Bayesian logistic regression, with all its constants:
//
//   log p̃(z) = Σ_i [y_i x_i·z − log(1 + exp(x_i·z))] − ½ α |z|² + ½ D log(α / 2π)
#pragma once

#include <Eigen/Core>

namespace aisivi::experiments {

struct LogisticData {
  Eigen::MatrixXd x;  // one observation per row
  Eigen::VectorXd y;  // 0 or 1
  double prior_precision = 0.01;
};

// At every column of z, D×M: M entries.
Eigen::VectorXd LogisticLogDensity(const LogisticData& data, const Eigen::MatrixXd& z);

}  // namespace aisivi::experiments
