#include "engine/warmstart/kl_polish.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/warmstart/elbo_ascent.h"

namespace aisivi {
namespace {

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
  const Eigen::VectorXd precision =
      wanted.array().max(1 / TrustRegion::kGrowth).min(TrustRegion::kShrink);
  // Along concave directions the mean takes the full Newton step, even where the variance may not
  // shrink as far at once; along the others a Newton step means nothing and its length is bounded.
  Eigen::VectorXd shift = rho * gradient_.array() / wanted.array().max(1 / TrustRegion::kGrowth);
  for (int64_t i = 0; i < shift.size(); ++i) {
    if (precision_[i] < 1 / TrustRegion::kGrowth)
      shift[i] = std::clamp(shift[i], -TrustRegion::kMaxMove, TrustRegion::kMaxMove);
  }
  const Eigen::VectorXd sd = precision.cwiseInverse().cwiseSqrt();
  return Compose(current, vectors_ * shift, vectors_ * sd.asDiagonal());
}

absl::StatusOr<Polished> PolishGaussian(Evaluator& evaluator, const AffineGaussian& start,
                                        uint64_t seed, const PolishOptions& options) {
  const Eigen::MatrixXd x = MatchedNormals(seed, options.stream, 0, start.dim(), options.draws);
  absl::StatusOr<Ascended<AffineGaussian>> top = AscendElbo(
      start, {options.max_iterations, options.tolerance},
      [&](const AffineGaussian& gaussian) { return VisitGaussian(evaluator, gaussian, x); },
      [](const Visit& visit) { return NaturalStep(visit.m, visit.h); });
  if (!top.ok()) return top.status();
  return Polished{std::move(top->state), top->elbo, top->iterations};
}

}  // namespace aisivi
