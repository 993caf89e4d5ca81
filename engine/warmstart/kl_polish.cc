#include "engine/warmstart/kl_polish.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <utility>

namespace aisivi {
namespace {

constexpr double kSmallestStep = 1.0 / 512;
constexpr double kGrowth = 4;   // of a variance in one step
constexpr double kShrink = 16;  // of a variance in one step

constexpr double kMaxMove = 2;  // of the mean along a direction that is not concave

// The draws at one Gaussian: what its ELBO is and where to go from it.
struct Visit {
  double elbo;
  Eigen::VectorXd m;
  Eigen::MatrixXd h;
  bool usable;  // enough draws could be evaluated
};

absl::StatusOr<Visit> VisitGaussian(Evaluator& evaluator, const AffineGaussian& gaussian,
                                    const Eigen::MatrixXd& x) {
  Evaluation evaluation;
  absl::Status status = evaluator.EvaluateNoise(gaussian, x, &evaluation);
  if (!status.ok()) return status;
  Visit visit;
  const Eigen::VectorXd log_weights = evaluation.log_density - LogDensityOfNoise(gaussian, x);
  visit.elbo = ElboFromLogWeights(log_weights).value;
  visit.usable = 4 * evaluation.good >= x.cols() && std::isfinite(visit.elbo);
  if (!visit.usable) return visit;
  const double good = static_cast<double>(evaluation.good);
  visit.m = evaluation.score.rowwise().sum() / good;
  visit.h = evaluation.score * x.transpose() / good;
  visit.h = (0.5 * (visit.h + visit.h.transpose())).eval();
  return visit;
}

}  // namespace

NaturalStep::NaturalStep(const Eigen::VectorXd& m, const Eigen::MatrixXd& h) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(-h);
  vectors_ = eigen.eigenvectors();
  precision_ = eigen.eigenvalues();
  gradient_ = vectors_.transpose() * m;
  promise_ = 0.5 * m.squaredNorm() + 0.25 * (precision_.array() - 1).square().sum();
}

AffineGaussian NaturalStep::Apply(const AffineGaussian& current, double rho) const {
  const Eigen::VectorXd wanted = 1 + rho * (precision_.array() - 1);
  const Eigen::VectorXd precision = wanted.array().max(1 / kGrowth).min(kShrink);
  // Along concave directions the mean takes the full Newton step, even where the variance may not
  // shrink as far at once; along the others a Newton step means nothing and its length is bounded.
  Eigen::VectorXd shift = rho * gradient_.array() / wanted.array().max(1 / kGrowth);
  for (int64_t i = 0; i < shift.size(); ++i) {
    if (precision_[i] < 1 / kGrowth) shift[i] = std::clamp(shift[i], -kMaxMove, kMaxMove);
  }
  const Eigen::VectorXd sd = precision.cwiseInverse().cwiseSqrt();
  return Compose(current, vectors_ * shift, vectors_ * sd.asDiagonal());
}

absl::StatusOr<Polished> PolishGaussian(Evaluator& evaluator, const AffineGaussian& start,
                                        uint64_t seed, const PolishOptions& options) {
  const Eigen::MatrixXd x = MatchedNormals(seed, options.stream, 0, start.dim(), options.draws);
  absl::StatusOr<Visit> visit = VisitGaussian(evaluator, start, x);
  if (!visit.ok()) return visit.status();
  if (!visit->usable) return absl::FailedPreconditionError("the start cannot be evaluated");
  Polished result{start, visit->elbo, 1};
  double rho = 1;
  while (result.iterations < options.max_iterations) {
    const NaturalStep step(visit->m, visit->h);
    if (step.promise() < options.tolerance) break;
    double gain = 0;
    while (result.iterations < options.max_iterations && rho >= kSmallestStep) {
      const AffineGaussian next = step.Apply(result.gaussian, rho);
      if (!IsReasonable(next)) {
        return absl::FailedPreconditionError("the Gaussian runs away or collapses");
      }
      absl::StatusOr<Visit> trial = VisitGaussian(evaluator, next, x);
      if (!trial.ok()) return trial.status();
      ++result.iterations;
      if (trial->usable && trial->elbo > result.elbo) {
        gain = trial->elbo - result.elbo;
        result.gaussian = next;
        result.elbo = trial->elbo;
        visit = std::move(trial);
        break;
      }
      rho /= 2;
    }
    if (gain < options.tolerance) break;
    rho = std::min(1.0, 2 * rho);
  }
  return result;
}

}  // namespace aisivi
