#include "engine/warmstart/diagonal_fit.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace aisivi {
namespace {

constexpr double kSmallestStep = 1.0 / 512;

struct Visit {
  double elbo;
  Eigen::VectorXd m, h;  // D: E[h_i], E[h_i x_i]
  bool usable;
};

absl::StatusOr<Visit> VisitDiagonal(Evaluator& evaluator, const DiagonalFit& fit,
                                    const Eigen::MatrixXd& x) {
  Eigen::MatrixXd z = fit.sd.asDiagonal() * x;
  z.colwise() += fit.mean;
  Evaluation evaluation;
  if (absl::Status status = evaluator.Evaluate(z, &evaluation); !status.ok()) return status;
  const double constant =
      fit.sd.array().log().sum() + 0.5 * static_cast<double>(x.rows()) * std::log(2 * M_PI);
  const Eigen::VectorXd log_q = -0.5 * x.colwise().squaredNorm().transpose().array() - constant;
  Visit visit;
  visit.elbo = ElboFromLogWeights(evaluation.log_density - log_q).value;
  visit.usable = 4 * evaluation.good >= x.cols() && std::isfinite(visit.elbo);
  if (!visit.usable) return visit;
  const double good = static_cast<double>(evaluation.good);
  visit.m = fit.sd.array() * evaluation.score.rowwise().sum().array() / good;
  visit.h = fit.sd.array() * evaluation.score.cwiseProduct(x).rowwise().sum().array() / good;
  return visit;
}

DiagonalFit Step(const DiagonalFit& current, const Visit& visit, double rho) {
  const Eigen::VectorXd wanted = (1 - rho - rho * visit.h.array()).max(0.25);
  // A Newton step means nothing along directions that are not concave: bounded there.
  Eigen::VectorXd shift = rho * visit.m.array() / wanted.array();
  for (int64_t i = 0; i < shift.size(); ++i) {
    if (-visit.h[i] < 0.25) shift[i] = std::clamp(shift[i], -2.0, 2.0);
  }
  DiagonalFit next = current;
  next.mean.array() += current.sd.array() * shift.array();
  next.sd.array() /= wanted.array().min(16.0).sqrt();
  return next;
}

bool IsReasonable(const DiagonalFit& fit) {
  return fit.mean.allFinite() && fit.sd.allFinite() && fit.mean.cwiseAbs().maxCoeff() < 1e8 &&
         fit.sd.maxCoeff() < 1e8 && fit.sd.minCoeff() > 1e-12;
}

}  // namespace

absl::StatusOr<DiagonalFit> FitDiagonal(Evaluator& evaluator, const Eigen::VectorXd& mean,
                                        const Eigen::VectorXd& sd, uint64_t seed,
                                        const DiagonalOptions& options) {
  // Fewer pairs than dimensions keep the exact second moments to single coordinates.
  const Eigen::MatrixXd x =
      MatchedNormals(seed, DrawStream::kDiagonal, 0, mean.size(), options.draws);
  DiagonalFit result{mean, sd, 0, 1};
  absl::StatusOr<Visit> visit = VisitDiagonal(evaluator, result, x);
  if (!visit.ok()) return visit.status();
  if (!visit->usable) return absl::FailedPreconditionError("the start cannot be evaluated");
  result.elbo = visit->elbo;
  double rho = 1;
  while (result.iterations < options.max_iterations) {
    double gain = 0;
    while (result.iterations < options.max_iterations && rho >= kSmallestStep) {
      DiagonalFit next = Step(result, *visit, rho);
      if (!IsReasonable(next)) {
        return absl::FailedPreconditionError("the Gaussian runs away or collapses");
      }
      absl::StatusOr<Visit> trial = VisitDiagonal(evaluator, next, x);
      if (!trial.ok()) return trial.status();
      ++result.iterations;
      if (trial->usable && trial->elbo > result.elbo) {
        gain = trial->elbo - result.elbo;
        next.elbo = trial->elbo;
        next.iterations = result.iterations;
        result = std::move(next);
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
