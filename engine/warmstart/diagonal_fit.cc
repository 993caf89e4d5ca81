#include "engine/warmstart/diagonal_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/warmstart/elbo_ascent.h"

namespace aisivi {
namespace {

struct Diagonal {
  Eigen::VectorXd mean, sd;  // D
};

struct Visit {
  double elbo;
  Eigen::VectorXd m, h;  // D: E[h_i], E[h_i x_i]
  bool usable;
};

absl::StatusOr<Visit> VisitDiagonal(Evaluator& evaluator, const Diagonal& fit,
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

// The natural-gradient step of kl_polish.h for a diagonal precision.
class DiagonalStep {
 public:
  explicit DiagonalStep(const Visit& visit) : visit_(visit) {}

  // Unknown: only what a step brings ends the ascent.
  static double promise() { return std::numeric_limits<double>::infinity(); }

  Diagonal Apply(const Diagonal& current, double rho) const {
    const Eigen::VectorXd wanted = (1 - rho - rho * visit_.h.array()).max(1 / TrustRegion::kGrowth);
    // A Newton step means nothing along directions that are not concave: bounded there.
    Eigen::VectorXd shift = rho * visit_.m.array() / wanted.array();
    for (int64_t i = 0; i < shift.size(); ++i) {
      if (-visit_.h[i] < 1 / TrustRegion::kGrowth)
        shift[i] = std::clamp(shift[i], -TrustRegion::kMaxMove, TrustRegion::kMaxMove);
    }
    Diagonal next = current;
    next.mean.array() += current.sd.array() * shift.array();
    next.sd.array() /= wanted.array().min(TrustRegion::kShrink).sqrt();
    return next;
  }

 private:
  const Visit& visit_;
};

bool IsReasonable(const Diagonal& fit) {
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
  absl::StatusOr<Ascended<Diagonal>> top = AscendElbo(
      Diagonal{mean, sd}, {options.max_iterations, options.tolerance},
      [&](const Diagonal& fit) { return VisitDiagonal(evaluator, fit, x); },
      [](const Visit& visit) { return DiagonalStep(visit); });
  if (!top.ok()) return top.status();
  return DiagonalFit{std::move(top->state.mean), std::move(top->state.sd), top->elbo,
                     top->iterations};
}

}  // namespace aisivi
