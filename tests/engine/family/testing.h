// The semi-implicit family of engine/family/family.h in double precision, written down plainly.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "engine/family/family.h"
#include "tests/engine/nn/testing.h"

namespace aisivi::test {

inline constexpr double kLogTwoPi = 1.8378770664093454836;

struct ReferenceConditional {
  Eigen::MatrixXd mean;   // D×n
  Eigen::MatrixXd sigma;  // D×n
};

inline ReferenceConditional Conditionals(const FamilyConfig& c, const Eigen::VectorXd& parameters,
                                         const Eigen::MatrixXd& epsilon) {
  const int64_t outputs = c.sigma_network ? 2 * c.dim : c.dim, n = epsilon.cols();
  const Eigen::MatrixXd output =
      ReferenceMlp({c.latent_dim, c.hidden, c.hidden, outputs}, parameters, epsilon);
  const double scale = c.sigma_scale;
  ReferenceConditional result{output.topRows(c.dim), Eigen::MatrixXd(c.dim, n)};
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t d = 0; d < c.dim; ++d) {
      const double rho =
          c.sigma_network ? output(c.dim + d, j) : parameters[parameters.size() - c.dim + d];
      result.sigma(d, j) = c.linear_skip ? scale * std::exp(4.5 * std::tanh(rho / 4.5))
                                         : scale * std::log1p(std::exp(rho)) + 1e-10;
      if (!c.linear_skip) continue;
      const double stretch = c.sigma_network ? result.sigma(d, j) / scale : 1;
      result.mean(d, j) += std::sqrt(1 - scale * scale) * stretch * epsilon(d, j);
    }
  }
  return result;
}

inline ReferenceConditional Conditionals(const Family& family, const Eigen::MatrixXd& epsilon) {
  return Conditionals(family.config(), family.parameters().cast<double>(), epsilon);
}

// log N(x; mean, diag sigma²).
inline double LogNormal(const Eigen::VectorXd& x, const Eigen::VectorXd& mean,
                        const Eigen::VectorXd& sigma) {
  return -0.5 * ((x - mean).array() / sigma.array()).square().sum() - sigma.array().log().sum() -
         0.5 * kLogTwoPi * static_cast<double>(x.size());
}

// ∇_x log N(x; mean, diag sigma²).
inline Eigen::VectorXd NormalScore(const Eigen::VectorXd& x, const Eigen::VectorXd& mean,
                                   const Eigen::VectorXd& sigma) {
  return (mean - x).array() / sigma.array().square();
}

// log p(ε).
inline double LogPrior(const FamilyConfig& c, const Eigen::VectorXd& epsilon) {
  if (!c.gaussian_latent) return 0;
  return -0.5 * epsilon.squaredNorm() - 0.5 * kLogTwoPi * static_cast<double>(epsilon.size());
}

// Weighted points of a latent of one or two dimensions: Σ weight f(point) ≈ E_p(ε) f(ε).
struct LatentGrid {
  Eigen::MatrixXd points;  // E×n
  Eigen::VectorXd weight;  // n
};

inline LatentGrid MakeLatentGrid(const FamilyConfig& c, int64_t per_dim) {
  const int64_t n = c.latent_dim == 1 ? per_dim : per_dim * per_dim;
  LatentGrid grid{Eigen::MatrixXd(c.latent_dim, n), Eigen::VectorXd(n)};
  const double low = c.gaussian_latent ? -8 : 0, high = c.gaussian_latent ? 8 : 1;
  const double step = (high - low) / static_cast<double>(per_dim);
  for (int64_t i = 0; i < n; ++i) {
    grid.points(0, i) = low + step * (static_cast<double>(i % per_dim) + 0.5);
    if (c.latent_dim == 2) {
      grid.points(1, i) = low + step * (static_cast<double>(i / per_dim) + 0.5);
    }
    grid.weight[i] = std::exp(LogPrior(c, grid.points.col(i))) *
                     std::pow(step, static_cast<double>(c.latent_dim));
  }
  return grid;
}

struct MarginalTruth {
  Eigen::VectorXd log_q;  // m
  Eigen::MatrixXd score;  // D×m: ∇_x log q
};

// log q(x) and its score by quadrature over the latent.
inline MarginalTruth Marginal(const Family& family, const LatentGrid& grid,
                              const Eigen::MatrixXd& x) {
  const ReferenceConditional q = Conditionals(family, grid.points);
  MarginalTruth truth{Eigen::VectorXd(x.cols()), Eigen::MatrixXd(x.rows(), x.cols())};
  for (int64_t j = 0; j < x.cols(); ++j) {
    double sum = 0;
    Eigen::VectorXd score = Eigen::VectorXd::Zero(x.rows());
    for (int64_t i = 0; i < grid.points.cols(); ++i) {
      const double w =
          grid.weight[i] * std::exp(LogNormal(x.col(j), q.mean.col(i), q.sigma.col(i)));
      sum += w;
      score += w * NormalScore(x.col(j), q.mean.col(i), q.sigma.col(i));
    }
    truth.log_q[j] = std::log(sum);
    truth.score.col(j) = score / sum;
  }
  return truth;
}

}  // namespace aisivi::test
