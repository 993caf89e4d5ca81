#include "engine/warmstart/batch_and_match.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

constexpr int kMaxShrinks = 60;

struct Moments {
  Eigen::VectorXd mean;        // D
  Eigen::MatrixXd covariance;  // D×D, of the batch (divided by its size)
};

Moments MomentsOf(const Eigen::MatrixXd& points) {
  Moments moments;
  moments.mean = points.rowwise().mean();
  const Eigen::MatrixXd centred = points.colwise() - moments.mean;
  moments.covariance = centred * centred.transpose() / static_cast<double>(points.cols());
  return moments;
}

// The columns whose log density is finite.
Eigen::MatrixXd GoodColumns(const Eigen::MatrixXd& points, const Eigen::VectorXd& log_density) {
  Eigen::MatrixXd result(points.rows(), points.cols());
  int64_t count = 0;
  for (int64_t i = 0; i < points.cols(); ++i) {
    if (std::isfinite(log_density[i])) result.col(count++) = points.col(i);
  }
  return result.leftCols(count);
}

// Replaces the score of p̃ in x by that of p̃^β N(0, sd² I)^(1−β).
void Temper(const AffineGaussian& gaussian, const Eigen::MatrixXd& x, double beta, double base_sd,
            Eigen::MatrixXd* score) {
  Eigen::MatrixXd z = gaussian.scale.triangularView<Eigen::Lower>() * x;
  z.colwise() += gaussian.mean;
  const Eigen::MatrixXd pull = gaussian.scale.transpose().triangularView<Eigen::Upper>() * z;
  *score = beta * *score - (1 - beta) / (base_sd * base_sd) * pull;
}

}  // namespace

AffineGaussian BatchAndMatchUpdate(const AffineGaussian& current, const Eigen::MatrixXd& x,
                                   const Eigen::MatrixXd& score, const Eigen::VectorXd& log_density,
                                   double lambda) {
  const Moments points = MomentsOf(GoodColumns(x, log_density));
  const Moments scores = MomentsOf(GoodColumns(score, log_density));
  const double share = lambda / (1 + lambda);
  const int64_t dim = x.rows();
  const Eigen::MatrixXd u =
      lambda * scores.covariance + share * scores.mean * scores.mean.transpose();
  const Eigen::MatrixXd v = Eigen::MatrixXd::Identity(dim, dim) + lambda * points.covariance +
                            share * points.mean * points.mean.transpose();
  const Eigen::LLT<Eigen::MatrixXd> cholesky(v);
  const Eigen::MatrixXd lower = cholesky.matrixL();
  const Eigen::MatrixXd w = lower.transpose() * u * lower;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(w);
  const Eigen::VectorXd root = (1 + 4 * eigen.eigenvalues().array().max(0)).sqrt();
  const Eigen::VectorXd solution = 2 / (1 + root.array());
  const Eigen::MatrixXd factor = lower * eigen.eigenvectors() * solution.cwiseSqrt().asDiagonal();
  const Eigen::VectorXd shift = share * (factor * (factor.transpose() * scores.mean) + points.mean);
  return Compose(current, shift, factor);
}

absl::StatusOr<AffineGaussian> BatchAndMatch(Evaluator& evaluator, const AffineGaussian& start,
                                             uint64_t seed, const BatchAndMatchOptions& options) {
  AffineGaussian current = start;
  const double dim = static_cast<double>(start.dim());
  Evaluation evaluation;
  int shrinks = 0;
  for (int t = 0; t < options.iterations;) {
    const uint32_t index = static_cast<uint32_t>(t + shrinks);
    const Eigen::MatrixXd x =
        MatchedNormals(seed, options.stream, index, start.dim(), options.batch);
    absl::Status status = evaluator.EvaluateNoise(current, x, &evaluation);
    if (!status.ok()) return status;
    if (4 * evaluation.good < x.cols()) {
      if (++shrinks > kMaxShrinks) {
        return absl::FailedPreconditionError("too few points can be evaluated");
      }
      current.scale *= 0.7;
      continue;
    }
    if (t < options.ladder) {
      const double position = static_cast<double>(t + 1) / options.ladder;
      Temper(current, x, std::pow(options.first_beta, 1 - position), options.base_sd,
             &evaluation.score);
    }
    const double lambda =
        static_cast<double>(options.batch) * dim / (std::max(0, t - options.ladder) + 1);
    current = BatchAndMatchUpdate(current, x, evaluation.score, evaluation.log_density, lambda);
    if (!IsReasonable(current)) {
      return absl::FailedPreconditionError("score matching runs away or collapses");
    }
    ++t;
  }
  return current;
}

}  // namespace aisivi
