#include "engine/warmstart/curvature.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <utility>

namespace aisivi {
namespace {

constexpr int kPasses = 3;

absl::StatusOr<Eigen::MatrixXd> OnePass(Evaluator& evaluator, const Eigen::VectorXd& z,
                                        const Eigen::VectorXd& steps) {
  const int64_t dim = z.size();
  Eigen::MatrixXd points = z.replicate(1, 2 * dim);
  points.leftCols(dim).diagonal() += steps;
  points.rightCols(dim).diagonal() -= steps;
  Evaluation evaluation;
  if (absl::Status status = evaluator.Evaluate(points, &evaluation); !status.ok()) return status;
  if (evaluation.good < 2 * dim) {
    return absl::OutOfRangeError("a neighbour of the mode cannot be evaluated");
  }
  Eigen::MatrixXd curvature =
      (evaluation.score.leftCols(dim) - evaluation.score.rightCols(dim)).array().rowwise() /
      (2 * steps).transpose().array();
  curvature = (0.5 * (curvature + curvature.transpose())).eval();
  return curvature;
}

}  // namespace

absl::StatusOr<Eigen::MatrixXd> Curvature(Evaluator& evaluator, const Eigen::VectorXd& z) {
  Eigen::VectorXd steps = 1e-5 * z.cwiseAbs().cwiseMax(1.0);
  Eigen::MatrixXd result;
  for (int pass = 0; pass < kPasses; ++pass) {
    absl::StatusOr<Eigen::MatrixXd> curvature = OnePass(evaluator, z, steps);
    if (!curvature.ok()) {
      // The first pass stands when a refined step leaves the support.
      if (pass > 0 && absl::IsOutOfRange(curvature.status())) return result;
      return curvature;
    }
    result = *std::move(curvature);
    for (int64_t i = 0; i < z.size(); ++i) {
      const double diagonal = std::abs(result(i, i));
      const double smallest = 1e-9 * std::max(1.0, std::abs(z[i]));
      if (diagonal > 0) steps[i] = std::clamp(0.01 / std::sqrt(diagonal), smallest, 1e3);
    }
  }
  return result;
}

absl::StatusOr<AffineGaussian> LaplaceGaussian(const Eigen::VectorXd& mode,
                                               const Eigen::MatrixXd& curvature) {
  if (!curvature.allFinite()) return absl::FailedPreconditionError("the curvature is not finite");
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(-curvature);
  const Eigen::VectorXd magnitude = eigen.eigenvalues().cwiseAbs();
  const double largest = magnitude.maxCoeff();
  if (eigen.info() != Eigen::Success || !(largest > 1e-14)) {
    return absl::FailedPreconditionError("the target is flat at the mode");
  }
  const Eigen::VectorXd sd =
      magnitude.cwiseMax(std::max(1e-10 * largest, 1e-8)).cwiseInverse().cwiseSqrt();
  return AffineGaussian{mode, LowerFactor(eigen.eigenvectors() * sd.asDiagonal())};
}

}  // namespace aisivi
