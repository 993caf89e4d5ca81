#include "engine/methods/marginal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace aisivi {
namespace {

constexpr double kNegInf = -std::numeric_limits<double>::infinity();
constexpr double kHalfLogTwoPi = 0.918938533204672742;
// A component is far where its Gaussian, widened by half, is below e^-40 of the largest.
constexpr double kFar = 40.0;
constexpr double kWiden = 1.5;

// z in the coordinates of each component, and their (widened) Gaussian log densities there.
void FindReach(const ModelState& state, const Eigen::MatrixXd& z, MarginalEstimate::Work* work) {
  work->x.resize(state.components.size());
  work->squares.resize(state.components.size(), z.cols());
  work->reach.resize(state.components.size(), z.cols());
  for (size_t c = 0; c < state.components.size(); ++c) {
    const AffineMap& affine = state.components[c].affine;
    affine.Solve(z, &work->shifted, &work->x[c]);
    work->squares.row(c) = work->shifted.colwise().squaredNorm();
    work->reach.row(c) = (-0.5 / (kWiden * kWiden)) * work->squares.row(c);
    work->reach.row(c).array() += state.components[c].log_weight - affine.LogDet();
  }
  work->best = work->reach.colwise().maxCoeff();
}

class Accumulator {
 public:
  Accumulator(const MarginalRequest& request, MarginalEstimate* out)
      : request_(request), out_(out) {
    const int64_t m = request.z->cols();
    out->log_q.setConstant(m, kNegInf);
    out->ess.setConstant(m, 1.0);
    if (request.want_plus) out->log_q_plus.setConstant(m, kNegInf);
    if (request.want_score) out->score.setZero(request.z->rows(), m);
  }

  // Folds in component c for the points `which`, with log q̂_c (log π and log |A| included), log
  // q̂₊_c and score in z.
  void Add(const std::vector<int>& which, const Eigen::VectorXd& log_q,
           const Eigen::VectorXd& log_q_plus, const Eigen::MatrixXd& score,
           const Eigen::VectorXd& ess) {
    for (size_t i = 0; i < which.size(); ++i) {
      const int j = which[i];
      const double total = LogAddExp(out_->log_q[j], log_q[i]);
      if (request_.want_score && total > kNegInf) {
        const double share = std::exp(log_q[i] - total);
        out_->score.col(j) += share * (score.col(i) - out_->score.col(j));
      }
      // Relative variances of independent terms add by the squares of their shares.
      if (request_.origin == nullptr && total > kNegInf && ess[i] > 0) {
        const double share = std::exp(log_q[i] - total);
        out_->ess[j] = 1 / (1 + (1 - share) * (1 - share) * (1 / out_->ess[j] - 1) +
                            share * share * (1 / ess[i] - 1));
      }
      out_->log_q[j] = total;
      if (request_.want_plus) {
        out_->log_q_plus[j] = LogAddExp(out_->log_q_plus[j], log_q_plus[i]);
      }
    }
  }

 private:
  const MarginalRequest& request_;
  MarginalEstimate* out_;
};

// log v₀ of the generating ε₀ at x, both in the coordinates of the component.
Eigen::VectorXd OwnLogWeight(const Component& component, const Eigen::MatrixXf& x,
                             const Eigen::MatrixXf& epsilon, Scratch& scratch) {
  Scratch::Frame frame(scratch);
  const int64_t m = x.cols(), dim = x.rows();
  TileMap e = TakeTile(scratch, epsilon.rows(), m);
  e = epsilon;
  TileMap points = TakeTile(scratch, dim, m);
  points = x;
  Eigen::VectorXd log_v = Eigen::VectorXd::Constant(m, -kHalfLogTwoPi * dim);
  if (component.has_proposal) {
    double* log_tau = scratch.Take<double>(m);
    component.proposal.LogDensity(Const(e), Const(points), scratch, log_tau);
    log_v -= Eigen::Map<const Eigen::VectorXd>(log_tau, m);
    component.family.AddLogPrior(Const(e), log_v.data());
  }
  const Conditional conditional = component.family.Evaluate(Const(e), scratch);
  for (int64_t j = 0; j < m; ++j) {
    const int64_t column = conditional.shared_sigma ? 0 : j;
    double square = 0;
    for (int64_t d = 0; d < dim; ++d) {
      const double r = static_cast<double>(x(d, j)) - conditional.mean(d, j);
      square += std::pow(r * conditional.inv_sigma(d, column), 2);
    }
    log_v[j] += -0.5 * square - conditional.log_det[column];
  }
  return log_v;
}

// Some points of a component: those that it did or did not generate, near it or far.
struct Part {
  int component;
  bool own, far;
};

class ComponentPass {
 public:
  ComponentPass(const MarginalRequest& request, ThreadPool& pool, Workspace& workspace,
                MarginalEstimate* estimate)
      : request_(request),
        pool_(pool),
        workspace_(workspace),
        estimate_(estimate),
        work_(estimate->work),
        accumulator_(request, estimate) {}

  // Component c, which is Gaussian, at all points.
  void RunGaussian(int c);
  // Component c by inner samples.
  void RunSampled(int c);

 private:
  bool IsOwn(int c, int j) const {
    return request_.origin != nullptr && request_.origin->component[j] == c;
  }
  bool IsFar(int c, int j) const {
    // Where far components are left out, one still counts at the points that it generated.
    if (request_.far_samples == 0 && IsOwn(c, j)) return false;
    return !(work_.reach(c, j) > work_.best[j] - kFar);
  }
  // work_.points ← the points of the part; work_.part and work_.epsilon: their x and ε₀.
  void FindPoints(const Part& part);
  InnerRequest InnerRequestFor(const Part& part) const;
  void RunPart(const Part& part);
  // work_.log_q ← log π_c q̂_c in z, and work_.plus the same with ε₀.
  void AddOwnLatents(const Part& part, int64_t samples);

  const MarginalRequest& request_;
  ThreadPool& pool_;
  Workspace& workspace_;
  MarginalEstimate* estimate_;
  MarginalEstimate::Work& work_;
  Accumulator accumulator_;
};

void ComponentPass::RunGaussian(int c) {
  const Component& component = request_.state->components[c];
  const int64_t m = request_.z->cols(), dim = request_.z->rows();
  work_.points.resize(m);
  std::iota(work_.points.begin(), work_.points.end(), 0);
  const double constant =
      component.log_weight - component.affine.LogDet() - kHalfLogTwoPi * static_cast<double>(dim);
  work_.log_q = (-0.5 * work_.squares.row(c).array() + constant).matrix().transpose();
  InnerEstimate& result = work_.inner;
  result.ess.setOnes(m);
  if (request_.want_score) {
    result.score = -work_.x[c].cast<double>();
    component.affine.scale.triangularView<Eigen::Lower>().transpose().solveInPlace(result.score);
  }
  accumulator_.Add(work_.points, work_.log_q, work_.log_q, result.score, result.ess);
}

void ComponentPass::RunSampled(int c) {
  for (const bool far : {false, true}) {
    if (far && request_.far_samples == 0) continue;
    for (const bool own : {true, false}) RunPart({c, own, far});
  }
}

void ComponentPass::FindPoints(const Part& part) {
  work_.points.clear();
  const int c = part.component;
  for (int j = 0; j < request_.z->cols(); ++j) {
    if (IsOwn(c, j) == part.own && IsFar(c, j) == part.far) work_.points.push_back(j);
  }
  const int64_t count = static_cast<int64_t>(work_.points.size());
  if (count == 0) return;  // resizing would give up the memory
  work_.part.resize(work_.x[c].rows(), count);
  for (int64_t i = 0; i < count; ++i) work_.part.col(i) = work_.x[c].col(work_.points[i]);
  if (!part.own) return;
  work_.epsilon.resize(request_.origin->epsilon.rows(), count);
  for (int64_t i = 0; i < count; ++i) {
    work_.epsilon.col(i) = request_.origin->epsilon.col(work_.points[i]);
  }
}

InnerRequest ComponentPass::InnerRequestFor(const Part& part) const {
  const Component& component = request_.state->components[part.component];
  // A stream for each part; that of a model of one component is the request's own.
  const uint64_t stream = 4 * static_cast<uint64_t>(part.component) + (part.far ? 2 : 0) +
                          (part.own || request_.origin == nullptr ? 0 : 1);
  // Every component has n_c samples in q̂₊; ε₀ is one of them in its own.
  const int64_t samples = part.far ? request_.far_samples : request_.samples;
  return {
      .family = &component.family,
      .proposal = component.has_proposal ? &component.proposal : nullptr,
      .x = &work_.part,
      .own_epsilon = part.own && request_.uses_own_epsilon ? &work_.epsilon : nullptr,
      .seed = stream == 0 ? request_.seed : SubSeed(request_.seed, RngPurpose::kInnerSeed, stream),
      .purpose = request_.purpose,
      .iteration = request_.iteration,
      .samples = samples + (request_.want_plus && !part.own ? 1 : 0),
      .want_score = request_.want_score,
      .cancel = request_.cancel};
}

void ComponentPass::AddOwnLatents(const Part& part, int64_t samples) {
  const Component& component = request_.state->components[part.component];
  const double constant = component.log_weight - component.affine.LogDet();
  const Eigen::VectorXd log_v =
      OwnLogWeight(component, work_.part, work_.epsilon, workspace_.caller());
  const double n = static_cast<double>(samples);
  for (int64_t i = 0; i < log_v.size(); ++i) {
    work_.plus[i] = LogAddExp(work_.log_q[i] + std::log(n), log_v[i] + constant) - std::log(n + 1);
  }
}

void ComponentPass::RunPart(const Part& part) {
  FindPoints(part);
  if (work_.points.empty()) return;
  const Component& component = request_.state->components[part.component];
  const InnerRequest inner = InnerRequestFor(part);
  InnerEstimate& result = work_.inner;
  const EstimateFunction estimate = request_.estimate != nullptr ? request_.estimate
                                    : component.has_proposal     ? ProposalPass
                                                                 : PriorPass;
  estimate(inner, pool_, workspace_, &result);
  work_.log_q = result.log_density.array() + (component.log_weight - component.affine.LogDet());
  work_.plus = work_.log_q;
  const bool exact = component.family.particles() > 0;  // every particle counts once
  if (request_.want_plus && part.own && !exact) AddOwnLatents(part, inner.samples);
  if (request_.want_score) {
    component.affine.scale.triangularView<Eigen::Lower>().transpose().solveInPlace(result.score);
  }
  if (part.own) {
    for (int64_t i = 0; i < result.ess.size(); ++i) {
      estimate_->ess[work_.points[i]] = result.ess[i];
    }
  }
  // As if of K samples.
  const double fewer = static_cast<double>(request_.samples) / static_cast<double>(inner.samples);
  if (part.far) result.ess = 1 / (1 + fewer * (result.ess.array().inverse() - 1));
  accumulator_.Add(work_.points, work_.log_q, work_.plus, result.score, result.ess);
}

bool IsGaussian(const Component& component) { return component.family.IsStandardNormal(); }

}  // namespace

bool SharesInnerSamples(const ModelState& state) {
  return std::any_of(state.components.begin(), state.components.end(), [](const Component& c) {
    return !c.has_proposal && !IsGaussian(c) && c.family.particles() == 0;
  });
}

void EstimateMarginal(const MarginalRequest& request, ThreadPool& pool, Workspace& workspace,
                      MarginalEstimate* estimate) {
  FindReach(*request.state, *request.z, &estimate->work);
  ComponentPass pass(request, pool, workspace, estimate);
  for (int c = 0; c < static_cast<int>(request.state->components.size()); ++c) {
    if (request.estimate == nullptr && IsGaussian(request.state->components[c])) {
      pass.RunGaussian(c);
    } else {
      pass.RunSampled(c);
    }
  }
}

}  // namespace aisivi
