#include "engine/methods/marginal.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aisivi {
namespace {

constexpr double kNegInf = -std::numeric_limits<double>::infinity();
// A component is left out where its Gaussian, widened by half, is below e^-40 of the largest.
constexpr double kFar = 40.0;
constexpr double kWiden = 1.5;

double LogAddExp(double a, double b) {
  const double top = std::max(a, b);
  return top == kNegInf ? kNegInf : top + std::log(std::exp(a - top) + std::exp(b - top));
}

// z in the coordinates of each component, and their (widened) Gaussian log densities there.
void FindReach(const ModelState& state, const Eigen::MatrixXd& z, MarginalEstimate::Work* work) {
  work->x.resize(state.components.size());
  work->reach.resize(state.components.size(), z.cols());
  for (size_t c = 0; c < state.components.size(); ++c) {
    const AffineMap& affine = state.components[c].affine;
    affine.Solve(z, &work->shifted, &work->x[c]);
    work->reach.row(c) =
        (-0.5 / (kWiden * kWiden)) * work->x[c].cast<double>().colwise().squaredNorm();
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
  Eigen::VectorXd log_v = Eigen::VectorXd::Constant(m, -0.918938533204672742 * dim);
  if (component.has_proposal) {
    float* log_tau = scratch.Take<float>(m);
    float* log_prior = scratch.Take<float>(m);
    std::fill_n(log_prior, m, 0.0f);
    component.proposal.LogDensity(Const(e), Const(points), scratch, log_tau);
    component.family.AddLogPrior(Const(e), log_prior);
    for (int64_t j = 0; j < m; ++j) log_v[j] += static_cast<double>(log_prior[j]) - log_tau[j];
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

class ComponentPass {
 public:
  ComponentPass(const MarginalRequest& request, ThreadPool& pool, Workspace& workspace,
                MarginalEstimate* estimate)
      : request_(request), pool_(pool), workspace_(workspace), work_(estimate->work) {}

  // Component c at the points `which`; `own`: it generated them.
  void Run(int c, const std::vector<int>& which, bool own, Accumulator* accumulator,
           MarginalEstimate* out) {
    if (which.empty()) return;
    const Component& component = request_.state->components[c];
    Eigen::MatrixXf& x = work_.part;
    Eigen::MatrixXf& epsilon = work_.epsilon;
    InnerEstimate& result = work_.inner;
    x.resize(work_.x[c].rows(), which.size());
    for (size_t i = 0; i < which.size(); ++i) x.col(i) = work_.x[c].col(which[i]);
    if (own) {
      epsilon.resize(request_.origin->epsilon.rows(), which.size());
      for (size_t i = 0; i < which.size(); ++i) {
        epsilon.col(i) = request_.origin->epsilon.col(which[i]);
      }
    }
    // Every component has K + 1 samples in q̂₊; ε₀ is one of them in its own.
    const int64_t k = request_.samples + (request_.want_plus && !own ? 1 : 0);
    InnerRequest inner{.family = &component.family,
                       .proposal = component.has_proposal ? &component.proposal : nullptr,
                       .x = &x,
                       .own_epsilon = own && request_.own_epsilon ? &epsilon : nullptr,
                       .seed = request_.seed + 0x9E3779B97F4A7C15u * static_cast<uint64_t>(c),
                       .purpose = request_.purpose,
                       .iteration = request_.iteration,
                       .samples = k,
                       .want_score = request_.want_score,
                       .cancel = request_.cancel};
    const EstimateFunction estimate = request_.estimate != nullptr ? request_.estimate
                                      : component.has_proposal     ? ProposalPass
                                                                   : PriorPass;
    estimate(inner, pool_, workspace_, &result);
    const double constant = component.log_weight - component.affine.LogDet();
    work_.log_q = result.log_density.array() + constant;
    work_.plus = work_.log_q;
    if (request_.want_plus && own) {
      const Eigen::VectorXd log_v = OwnLogWeight(component, x, epsilon, workspace_.caller());
      const double n = static_cast<double>(k);
      for (size_t i = 0; i < which.size(); ++i) {
        work_.plus[i] =
            LogAddExp(work_.log_q[i] + std::log(n), log_v[i] + constant) - std::log(n + 1);
      }
    }
    if (request_.want_score) {
      component.affine.scale.triangularView<Eigen::Lower>().transpose().solveInPlace(result.score);
    }
    accumulator->Add(which, work_.log_q, work_.plus, result.score, result.ess);
    if (own) {
      for (size_t i = 0; i < which.size(); ++i) out->ess[which[i]] = result.ess[i];
    }
  }

 private:
  const MarginalRequest& request_;
  ThreadPool& pool_;
  Workspace& workspace_;
  MarginalEstimate::Work& work_;
};

}  // namespace

void EstimateMarginal(const MarginalRequest& request, ThreadPool& pool, Workspace& workspace,
                      MarginalEstimate* estimate) {
  const ModelState& state = *request.state;
  const int components = static_cast<int>(state.components.size());
  MarginalEstimate::Work& work = estimate->work;
  FindReach(state, *request.z, &work);
  Accumulator accumulator(request, estimate);
  ComponentPass pass(request, pool, workspace, estimate);
  for (int c = 0; c < components; ++c) {
    work.own.clear();
    work.other.clear();
    for (int j = 0; j < request.z->cols(); ++j) {
      if (request.origin != nullptr && request.origin->component[j] == c) {
        work.own.push_back(j);
      } else if (components == 1 || work.reach(c, j) > work.best[j] - kFar) {
        work.other.push_back(j);
      }
    }
    pass.Run(c, work.own, true, &accumulator, estimate);
    pass.Run(c, work.other, false, &accumulator, estimate);
  }
}

}  // namespace aisivi
