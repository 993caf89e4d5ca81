#include "engine/warmstart/mixture_polish.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "engine/warmstart/kl_polish.h"

namespace aisivi {
namespace {

constexpr double kSmallestStep = 1.0 / 256;
constexpr double kMaxLogWeightMove = 2;

struct ComponentVisit {
  Eigen::VectorXd m;
  Eigen::MatrixXd h;
  ElboEstimate mean_u;  // r_k
  bool usable;
};

struct Visit {
  std::vector<ComponentVisit> components;
  double elbo;
  bool usable;
};

// All draws of all components at once: D×(K N), component by component.
Eigen::MatrixXd DrawPoints(const AffineMixture& mixture, const std::vector<Eigen::MatrixXd>& x) {
  const int64_t count = x.front().cols();
  Eigen::MatrixXd z(mixture.dim(), mixture.size() * count);
  for (size_t k = 0; k < x.size(); ++k) {
    const AffineGaussian& component = mixture.components[k];
    z.middleCols(static_cast<int64_t>(k) * count, count) =
        (component.scale.triangularView<Eigen::Lower>() * x[k]).colwise() + component.mean;
  }
  return z;
}

std::vector<Eigen::MatrixXd> Noise(uint64_t seed, DrawStream stream, const AffineMixture& mixture,
                                   int64_t draws) {
  std::vector<Eigen::MatrixXd> x;
  for (int64_t k = 0; k < mixture.size(); ++k) {
    x.push_back(MatchedNormals(seed, stream, static_cast<uint32_t>(k), mixture.dim(), draws));
  }
  return x;
}

// u: N, ∇u: D×N at the draws x (D×N) of one component.
ComponentVisit VisitComponent(const AffineGaussian& component, const Eigen::MatrixXd& x,
                              const Eigen::VectorXd& u, const Eigen::MatrixXd& gradient) {
  ComponentVisit visit;
  visit.mean_u = ElboFromLogWeights(u);
  const int64_t good = u.array().isFinite().count();
  visit.usable = 4 * good >= u.size();
  if (!visit.usable) return visit;
  const Eigen::MatrixXd h = component.scale.transpose().triangularView<Eigen::Upper>() * gradient;
  visit.m = h.rowwise().sum() / static_cast<double>(good);
  visit.h = h * x.transpose() / static_cast<double>(good);
  visit.h = (0.5 * (visit.h + visit.h.transpose())).eval();
  return visit;
}

absl::StatusOr<Visit> VisitMixture(Evaluator& evaluator, const AffineMixture& mixture,
                                   const std::vector<Eigen::MatrixXd>& x) {
  const int64_t count = x.front().cols();
  const Eigen::MatrixXd z = DrawPoints(mixture, x);
  Evaluation target;
  if (absl::Status status = evaluator.Evaluate(z, &target); !status.ok()) return status;
  Eigen::VectorXd log_q;
  Eigen::MatrixXd score;
  MixtureDensity(mixture, z, evaluator.pool(), &log_q, &score);
  const Eigen::VectorXd u = target.log_density - log_q;
  score = target.score - score;
  for (int64_t i = 0; i < u.size(); ++i) {
    if (!std::isfinite(u[i])) score.col(i).setZero();
  }
  Visit visit;
  visit.components.resize(x.size());
  evaluator.pool().ParallelFor(mixture.size(), [&](int64_t k, int) {
    const size_t index = static_cast<size_t>(k);
    visit.components[index] =
        VisitComponent(mixture.components[index], x[index], u.segment(k * count, count),
                       score.middleCols(k * count, count));
  });
  visit.elbo = 0;
  visit.usable = true;
  for (int64_t k = 0; k < mixture.size(); ++k) {
    const ComponentVisit& component = visit.components[static_cast<size_t>(k)];
    visit.usable = visit.usable && component.usable;
    visit.elbo += std::exp(mixture.log_weights[k]) * component.mean_u.value;
  }
  visit.usable = visit.usable && std::isfinite(visit.elbo);
  return visit;
}

// The steps of all components; their promise counts with their weight.
struct MixtureStep {
  std::vector<NaturalStep> steps;
  Eigen::VectorXd log_weight_moves;  // K
  double promise;
};

MixtureStep MakeStep(const AffineMixture& mixture, const Visit& visit, ThreadPool& pool) {
  const int64_t dim = mixture.dim();
  MixtureStep step;
  step.steps.resize(visit.components.size());
  pool.ParallelFor(mixture.size(), [&](int64_t k, int) {
    const ComponentVisit& component = visit.components[static_cast<size_t>(k)];
    step.steps[static_cast<size_t>(k)] =
        NaturalStep(component.m, component.h - Eigen::MatrixXd::Identity(dim, dim));
  });
  step.log_weight_moves.resize(mixture.size());
  step.promise = 0;
  for (int64_t k = 0; k < mixture.size(); ++k) {
    const double weight = std::exp(mixture.log_weights[k]);
    const double move = visit.components[static_cast<size_t>(k)].mean_u.value - visit.elbo;
    step.log_weight_moves[k] = std::clamp(move, -kMaxLogWeightMove, kMaxLogWeightMove);
    step.promise += weight * (step.steps[static_cast<size_t>(k)].promise() + move * move / 2);
  }
  return step;
}

AffineMixture Apply(const AffineMixture& current, const MixtureStep& step, double rho) {
  AffineMixture next = current;
  for (size_t k = 0; k < step.steps.size(); ++k) {
    next.components[k] = step.steps[k].Apply(current.components[k], rho);
  }
  next.log_weights += rho * step.log_weight_moves;
  next.Normalise();
  return next;
}

bool AllReasonable(const AffineMixture& mixture) {
  return mixture.log_weights.allFinite() &&
         std::all_of(mixture.components.begin(), mixture.components.end(), IsReasonable);
}

}  // namespace

absl::StatusOr<PolishedMixture> PolishMixture(Evaluator& evaluator, const AffineMixture& start,
                                              uint64_t seed, const MixturePolishOptions& options) {
  const std::vector<Eigen::MatrixXd> x =
      Noise(seed, DrawStream::kMixturePolish, start, options.draws);
  absl::StatusOr<Visit> visit = VisitMixture(evaluator, start, x);
  if (absl::IsCancelled(visit.status())) {
    return PolishedMixture{start, -std::numeric_limits<double>::infinity(), /*cut_short=*/true};
  }
  if (!visit.ok()) return visit.status();
  if (!visit->usable) return absl::FailedPreconditionError("a component cannot be evaluated");
  PolishedMixture result{start, visit->elbo};
  double rho = 1;
  int iterations = 1;
  while (iterations < options.max_iterations) {
    const MixtureStep step = MakeStep(result.mixture, *visit, evaluator.pool());
    if (step.promise < options.tolerance) break;
    double gain = 0;
    while (iterations < options.max_iterations && rho >= kSmallestStep) {
      AffineMixture next = Apply(result.mixture, step, rho);
      if (!AllReasonable(next)) {
        return absl::FailedPreconditionError("a component runs away or collapses");
      }
      absl::StatusOr<Visit> trial = VisitMixture(evaluator, next, x);
      if (absl::IsCancelled(trial.status())) {
        result.cut_short = true;
        return result;
      }
      if (!trial.ok()) return trial.status();
      ++iterations;
      if (trial->usable && trial->elbo > result.elbo) {
        gain = trial->elbo - result.elbo;
        result = {std::move(next), trial->elbo};
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

absl::StatusOr<ElboEstimate> MixtureElbo(Evaluator& evaluator, const AffineMixture& mixture,
                                         uint64_t seed, int64_t draws) {
  const std::vector<Eigen::MatrixXd> x = Noise(seed, DrawStream::kMixtureElbo, mixture, draws);
  const Eigen::MatrixXd z = DrawPoints(mixture, x);
  Evaluation target;
  if (absl::Status status = evaluator.Evaluate(z, &target); !status.ok()) return status;
  Eigen::VectorXd log_q;
  MixtureDensity(mixture, z, evaluator.pool(), &log_q, nullptr);
  const Eigen::VectorXd u = target.log_density - log_q;
  ElboEstimate result{0, 0};
  double variance = 0;
  for (int64_t k = 0; k < mixture.size(); ++k) {
    const double weight = std::exp(mixture.log_weights[k]);
    const ElboEstimate part = ElboFromLogWeights(u.segment(k * draws, draws));
    result.value += weight * part.value;
    variance += weight * weight * part.standard_error * part.standard_error;
  }
  result.standard_error = std::sqrt(variance);
  return result;
}

}  // namespace aisivi
