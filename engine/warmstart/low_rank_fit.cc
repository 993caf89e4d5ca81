#include "engine/warmstart/low_rank_fit.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

namespace aisivi {
namespace {

constexpr int64_t kPoints = 4;
constexpr double kDelta = 1e-3;      // in units of the diagonal fit's sd
constexpr double kConverged = 0.05;  // residual of an eigenpair, relative to |λ − 1|
constexpr double kWorth = 0.1;       // |log λ| below which a direction is left as it is
constexpr double kSmallest = 1e-3;   // of λ: variances grow at most a thousandfold
constexpr int kMeanSteps = 8;
constexpr int64_t kMeanDraws = 512;

// H v, averaged over the points x (D×n).
absl::StatusOr<Eigen::VectorXd> HessianTimes(Evaluator& evaluator, const DiagonalFit& fit,
                                             const Eigen::MatrixXd& x, const Eigen::VectorXd& v) {
  const int64_t n = x.cols();
  Eigen::MatrixXd z(x.rows(), 2 * n);
  z.leftCols(n) = x.colwise() - kDelta * v;
  z.rightCols(n) = x.colwise() + kDelta * v;
  z = (fit.sd.asDiagonal() * z).eval();
  z.colwise() += fit.mean;
  Evaluation evaluation;
  if (absl::Status status = evaluator.Evaluate(z, &evaluation); !status.ok()) return status;
  if (evaluation.good < 2 * n) {
    return absl::FailedPreconditionError("a neighbour of the diagonal fit cannot be evaluated");
  }
  const Eigen::VectorXd difference =
      (evaluation.score.leftCols(n) - evaluation.score.rightCols(n)).rowwise().mean();
  return Eigen::VectorXd(fit.sd.array() * difference.array() / (2 * kDelta));
}

struct EigenPairs {
  Eigen::VectorXd values;
  Eigen::MatrixXd vectors;  // D×r
};

// Lanczos' method with full orthogonalisation; the converged pairs farthest from 1 in log λ.
absl::StatusOr<EigenPairs> ExtremePairs(Evaluator& evaluator, const DiagonalFit& fit, uint64_t seed,
                                        const LowRankOptions& options) {
  const int64_t dim = fit.mean.size(), steps = std::min(options.steps, dim);
  const Eigen::MatrixXd x = Normals(seed, DrawStream::kProbe, 1, dim, kPoints);
  Eigen::MatrixXd basis(dim, steps);
  Eigen::VectorXd alpha = Eigen::VectorXd::Zero(steps), beta = Eigen::VectorXd::Zero(steps);
  basis.col(0) = Normals(seed, DrawStream::kProbe, 2, dim, 1).col(0).normalized();
  int64_t size = 0;
  while (size < steps) {
    absl::StatusOr<Eigen::VectorXd> w = HessianTimes(evaluator, fit, x, basis.col(size));
    if (!w.ok()) return w.status();
    alpha[size] = basis.col(size).dot(*w);
    for (int pass = 0; pass < 2; ++pass) {
      *w -= basis.leftCols(size + 1) * (basis.leftCols(size + 1).transpose() * *w);
    }
    beta[size] = w->norm();
    ++size;
    if (!(beta[size - 1] > 1e-8) || size == steps) break;
    basis.col(size) = *w / beta[size - 1];
  }
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen;
  eigen.computeFromTridiagonal(alpha.head(size), beta.head(size - 1));
  if (eigen.info() != Eigen::Success) {
    return absl::FailedPreconditionError("the curvature is not finite");
  }
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < size; ++i) {
    const double value = eigen.eigenvalues()[i];
    const double residual = beta[size - 1] * std::abs(eigen.eigenvectors()(size - 1, i));
    if (residual < kConverged * std::abs(value - 1) &&
        std::abs(std::log(std::fmax(value, kSmallest))) > kWorth) {
      chosen.push_back(i);
    }
  }
  std::stable_sort(chosen.begin(), chosen.end(), [&](int64_t a, int64_t b) {
    const auto distance = [&](int64_t i) {
      return std::abs(std::log(std::fmax(eigen.eigenvalues()[i], kSmallest)));
    };
    return distance(a) > distance(b);
  });
  if (chosen.empty()) return absl::FailedPreconditionError("no direction needs a correction");
  chosen.resize(std::min<size_t>(chosen.size(), static_cast<size_t>(options.rank)));
  EigenPairs pairs{Eigen::VectorXd(chosen.size()), Eigen::MatrixXd(dim, chosen.size())};
  for (size_t i = 0; i < chosen.size(); ++i) {
    pairs.values[static_cast<int64_t>(i)] = std::fmax(eigen.eigenvalues()[chosen[i]], kSmallest);
    pairs.vectors.col(static_cast<int64_t>(i)) =
        basis.leftCols(size) * eigen.eigenvectors().col(chosen[i]);
  }
  return pairs;
}

AffineGaussian Corrected(const DiagonalFit& fit, const EigenPairs& pairs) {
  const int64_t dim = fit.mean.size();
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Identity(dim, dim);
  const Eigen::VectorXd change = pairs.values.cwiseInverse().array() - 1;
  covariance.noalias() += pairs.vectors * change.asDiagonal() * pairs.vectors.transpose();
  const Eigen::LLT<Eigen::MatrixXd> cholesky(covariance);
  return {fit.mean, fit.sd.asDiagonal() * cholesky.matrixL().toDenseMatrix()};
}

// Moves the mean as long as that raises the ELBO over fixed draws.
absl::Status MoveMean(Evaluator& evaluator, uint64_t seed, AffineGaussian* gaussian) {
  const Eigen::MatrixXd x =
      MatchedNormals(seed, DrawStream::kProbe, 3, gaussian->dim(), kMeanDraws);
  Evaluation evaluation;
  const auto visit = [&](const AffineGaussian& at, double* elbo) {
    absl::Status status = evaluator.EvaluateNoise(at, x, &evaluation);
    if (status.ok()) {
      *elbo = ElboFromLogWeights(evaluation.log_density - LogDensityOfNoise(at, x)).value;
    }
    return status;
  };
  double elbo = 0;
  if (absl::Status status = visit(*gaussian, &elbo); !status.ok()) return status;
  double rho = 1;
  for (int step = 0; step < kMeanSteps && evaluation.good > 0; ++step) {
    const Eigen::VectorXd m =
        evaluation.score.rowwise().sum() / static_cast<double>(evaluation.good);
    AffineGaussian next = *gaussian;
    next.mean += gaussian->scale.triangularView<Eigen::Lower>() * (rho * m);
    double moved = 0;
    const Evaluation before = evaluation;
    if (absl::Status status = visit(next, &moved); !status.ok()) return status;
    if (moved > elbo) {
      elbo = moved;
      *gaussian = std::move(next);
      rho = std::min(1.0, 2 * rho);
    } else {
      evaluation = before;
      rho /= 4;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LowRankFit> FitLowRank(Evaluator& evaluator, const DiagonalFit& diagonal,
                                      uint64_t seed, const LowRankOptions& options) {
  const absl::StatusOr<EigenPairs> pairs = ExtremePairs(evaluator, diagonal, seed, options);
  if (!pairs.ok()) return pairs.status();
  LowRankFit fit{Corrected(diagonal, *pairs), pairs->values.size()};
  if (!IsReasonable(fit.gaussian)) {
    return absl::FailedPreconditionError("the Gaussian runs away or collapses");
  }
  if (absl::Status status = MoveMean(evaluator, seed, &fit.gaussian); !status.ok()) return status;
  return fit;
}

}  // namespace aisivi
