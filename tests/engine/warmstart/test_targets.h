// Small targets for the warm-start tests: a density given as a function of one point.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/LU>
#include <Eigen/QR>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/targets/target.h"

namespace aisivi {

// log p̃ at z (D), writing its gradient (D, already sized).
using PointDensity = std::function<double(const Eigen::VectorXd& z, Eigen::VectorXd* score)>;

class PointTarget : public Target {
 public:
  PointTarget(int dim, PointDensity density) : dim_(dim), density_(std::move(density)) {}

  int dim() const override { return dim_; }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    log_density->resize(z.cols());
    if (score != nullptr) score->resize(z.rows(), z.cols());
    Eigen::VectorXd gradient(dim_);
    for (int64_t i = 0; i < z.cols(); ++i) {
      (*log_density)[i] = density_(z.col(i), &gradient);
      if (score != nullptr) score->col(i) = gradient;
    }
    evaluations_ += z.cols();
    return absl::OkStatus();
  }

  // Points evaluated so far.
  int64_t evaluations() const { return evaluations_; }

 private:
  const int dim_;
  const PointDensity density_;
  mutable std::atomic<int64_t> evaluations_ = 0;
};

// N(mean, covariance) with its constant: log Z = 0.
inline PointTarget GaussianTarget(const Eigen::VectorXd& mean, const Eigen::MatrixXd& covariance) {
  const Eigen::LLT<Eigen::MatrixXd> cholesky(covariance);
  const Eigen::MatrixXd lower = cholesky.matrixL();
  const Eigen::MatrixXd precision = covariance.inverse();
  const double constant = lower.diagonal().array().log().sum() +
                          0.5 * static_cast<double>(mean.size()) * std::log(2 * M_PI);
  return PointTarget(static_cast<int>(mean.size()),
                     [=](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
                       const Eigen::VectorXd offset = z - mean;
                       *score = -precision * offset;
                       return 0.5 * score->dot(offset) - constant;
                     });
}

// Σ_k w_k N(c_k, sd² I) with its constant.
inline PointTarget SphereMixtureTarget(const Eigen::VectorXd& weights,
                                       const Eigen::MatrixXd& centres, double sd) {
  const double dim = static_cast<double>(centres.rows());
  return PointTarget(
      static_cast<int>(centres.rows()), [=](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
        Eigen::VectorXd terms(weights.size());
        for (int64_t k = 0; k < weights.size(); ++k) {
          terms[k] = std::log(weights[k]) - 0.5 * (z - centres.col(k)).squaredNorm() / (sd * sd) -
                     dim * std::log(sd) - 0.5 * dim * std::log(2 * M_PI);
        }
        const double highest = terms.maxCoeff();
        const Eigen::VectorXd share = (terms.array() - highest).exp();
        const double total = share.sum();
        *score = (centres * share / total - z) / (sd * sd);
        return highest + std::log(total);
      });
}

// The same density, which raises `cancel` at its evaluation number `evaluations`. On one thread.
// `target` has to outlive it.
inline PointTarget CancelAfter(const PointTarget& target, int64_t evaluations,
                               std::atomic<bool>* cancel) {
  return PointTarget(target.dim(), [=, &target](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    if (target.evaluations() == evaluations) *cancel = true;
    Eigen::VectorXd log_density;
    Eigen::MatrixXd gradient;
    if (!target.Evaluate(z, &log_density, &gradient).ok()) std::abort();
    *score = gradient;
    return log_density[0];
  });
}

// (z₁, z₁² + z₂ + 1) ~ N(0, [[1, 0.9], [0.9, 1]]).
inline PointTarget BananaTarget() {
  return PointTarget(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    const double rest = 1 - 0.81;
    const double u = z[0], v = z[0] * z[0] + z[1] + 1;
    const double du = -(u - 0.9 * v) / rest, dv = -(v - 0.9 * u) / rest;
    *score << du + 2 * z[0] * dv, dv;
    return -0.5 * (u * u - 1.8 * u * v + v * v) / rest - 0.5 * std::log(rest) - std::log(2 * M_PI);
  });
}

// A covariance with eigenvalues spread geometrically from 1 to 1/condition.
inline Eigen::MatrixXd RandomCovariance(int64_t dim, double condition, uint32_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Eigen::MatrixXd m(dim, dim);
  for (double& value : m.reshaped()) value = normal(random);
  const Eigen::MatrixXd q = Eigen::HouseholderQR<Eigen::MatrixXd>(m).householderQ();
  Eigen::VectorXd eigenvalues(dim);
  for (int64_t i = 0; i < dim; ++i) {
    eigenvalues[i] = std::pow(condition, -static_cast<double>(i) / static_cast<double>(dim - 1));
  }
  return q * eigenvalues.asDiagonal() * q.transpose();
}

}  // namespace aisivi
