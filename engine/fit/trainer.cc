#include "engine/fit/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace aisivi {
namespace {

constexpr int64_t kFlowShard = 32;    // columns of a flow batch per task
constexpr int64_t kTargetShard = 32;  // points per task of a target evaluation
constexpr int64_t kMinPoints = 32;    // points per component and step at least
// A residual longer than this many times √D, or than that many times the typical one, is shortened:
// one wild point must not undo a fit.
constexpr double kClip = 30.0;
constexpr double kClipTypical = 20.0;
constexpr double kForget = 0.01;       // weight of a step in what is typical
constexpr double kWeightRate = 0.1;    // step of the mixture weights, in log space
constexpr double kMinFinite = 0.5;     // share of finite points below which a step is skipped
constexpr int64_t kAverageShare = 16;  // averages look back over iterations / so many steps
// Adaptation, every so many steps: k doubles while noise / residual is above kNoisy, up to
// kMostSamples times as many and kStepFlop operations a step, and halves while it is below kQuiet;
// flow steps are added while the mean effective share is below kLowEss, up to kMostFlowSteps times,
// and taken back above kHighEss.
constexpr int64_t kAdaptEvery = 50;
constexpr double kNoisy = 0.5, kQuiet = 0.1;
constexpr int64_t kMostSamples = 8;  // times what was asked for; and the least is its inverse
constexpr int64_t kFewestSamples = 8;
constexpr double kStepFlop = 2e9;
constexpr double kLowEss = 0.5, kHighEss = 0.8, kNearExactEss = 0.9;
constexpr int64_t kMostFlowSteps = 4;
constexpr uint32_t kSecondSet = 1u << 31;  // iterations stay below

// Of finite values, in any order; 0 without values. Reorders them.
double Median(std::vector<double>* values) {
  if (values->empty()) return 0;
  const auto middle = values->begin() + static_cast<int64_t>(values->size() / 2);
  std::nth_element(values->begin(), middle, values->end());
  return *middle;
}

// Adds the time since the last call to one account after the other.
class Stopwatch {
 public:
  void Book(double* account) {
    const auto now = std::chrono::steady_clock::now();
    *account += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace

Trainer::Trainer(const Target& target, const FitOptions& options, const MethodEntry& method,
                 ThreadPool& pool, ModelState* state, const std::atomic<bool>* cancel)
    : target_(target),
      options_(options),
      method_(method),
      pool_(pool),
      state_(state),
      cancel_(cancel),
      workspace_(pool),
      inner_samples_(options.inner_samples * options.chunks),
      flow_steps_(options.flow_steps) {
  const int64_t components = static_cast<int64_t>(state->components.size());
  points_each_ = components == 1
                     ? options.points
                     : std::max(kMinPoints, (options.points + components - 1) / components);
  for (const Component& c : state->components) {
    ComponentTrainer t;
    const int64_t family = c.family.parameters().size();
    t.family_adam = Adam(family, options.adam_beta1, options.adam_beta2);
    t.family_gradient.resize(family);
    t.family_average = c.family.parameters();
    t.flow_average = c.proposal.parameters();
    if (c.has_proposal) {
      const int64_t flow = c.proposal.parameters().size();
      t.flow_adam = Adam(flow, options.adam_beta1, options.adam_beta2);
      t.flow_gradient.resize((points_each_ + kFlowShard - 1) / kFlowShard);
      for (Eigen::VectorXf& g : t.flow_gradient) g.resize(flow);
      t.flow_loss.resize(t.flow_gradient.size());
    }
    trainers_.push_back(std::move(t));
  }
  InitializeNormalisation();
}

// From the points of the first flow step.
void Trainer::InitializeNormalisation() {
  Scratch& scratch = workspace_.caller();
  for (size_t c = 0; c < state_->components.size(); ++c) {
    Component& component = state_->components[c];
    if (!component.has_proposal || component.proposal.config().linear_base) continue;
    SampleFlowPoints(static_cast<int>(c));
    Scratch::Frame frame(scratch);
    const ComponentSample& sample = trainers_[c].sample;
    TileMap epsilon = TakeTile(scratch, sample.epsilon.rows(), points_each_);
    TileMap x = TakeTile(scratch, sample.x.rows(), points_each_);
    epsilon = sample.epsilon;
    x = sample.x;
    component.proposal.InitializeNormalisation(Const(epsilon), Const(x));
    trainers_[c].flow_average = component.proposal.parameters();
  }
}

void Trainer::SampleFlowPoints(int c) {
  SampleComponent(state_->components[c], options_.seed, RngPurpose::kFlowLatent,
                  RngPurpose::kFlowNoise, flow_iteration_, static_cast<uint32_t>(c), points_each_,
                  workspace_.caller(), &trainers_[c].sample);
}

bool Trainer::TrainFlow(int c, const ComponentSample& sample, double rate) {
  Component& component = state_->components[c];
  ComponentTrainer& trainer = trainers_[c];
  const int64_t n = sample.x.cols();
  const int64_t shards = static_cast<int64_t>(trainer.flow_gradient.size());
  std::vector<double>& loss = trainer.flow_loss;
  pool_.ParallelFor(shards, [&](int64_t s, int worker) {
    Scratch& scratch = workspace_.worker(worker);
    Scratch::Frame frame(scratch);
    const int64_t first = s * kFlowShard, count = std::min(kFlowShard, n - first);
    TileMap epsilon = TakeTile(scratch, sample.epsilon.rows(), count);
    TileMap x = TakeTile(scratch, sample.x.rows(), count);
    epsilon = sample.epsilon.middleCols(first, count);
    x = sample.x.middleCols(first, count);
    trainer.flow_gradient[s].setZero();
    loss[s] = component.proposal.LossAndGradient(
        Const(epsilon), Const(x), 1.0f / static_cast<float>(n), scratch, &trainer.flow_gradient[s]);
  });
  Eigen::VectorXf& gradient = trainer.flow_gradient[0];
  double total = loss[0];
  for (int64_t s = 1; s < shards; ++s) {
    total += loss[s];
    gradient += trainer.flow_gradient[s];
  }
  if (!std::isfinite(total) || !gradient.allFinite()) return false;
  flow_loss_ = total / static_cast<double>(n);
  trainer.flow_adam.Step(rate, gradient, &component.proposal.parameters(), pool_);
  return true;
}

bool Trainer::FlowStep(double rate_factor) {
  bool fine = true;
  for (int c = 0; c < static_cast<int>(state_->components.size()); ++c) {
    if (!state_->components[c].has_proposal) continue;
    SampleFlowPoints(c);
    fine &= TrainFlow(c, trainers_[c].sample, options_.flow_learning_rate * rate_factor);
  }
  ++flow_iteration_;
  if (!fine) ++skipped_;
  return fine;
}

void Trainer::SamplePoints() {
  const int64_t components = static_cast<int64_t>(state_->components.size());
  const int64_t total = components * points_each_, dim = state_->dim();
  z_.resize(dim, total);
  origin_.component.resize(total);
  origin_.epsilon.resize(state_->components.front().family.latent_dim(), total);
  for (int64_t c = 0; c < components; ++c) {
    const Component& component = state_->components[c];
    ComponentSample& sample = trainers_[c].sample;
    SampleComponent(component, options_.seed, RngPurpose::kLatent, RngPurpose::kNoise, iteration_,
                    static_cast<uint32_t>(c), points_each_, workspace_.caller(), &sample);
    component.affine.Apply(sample.x, &work_, z_.middleCols(c * points_each_, points_each_));
    origin_.epsilon.middleCols(c * points_each_, points_each_) = sample.epsilon;
    std::fill_n(origin_.component.begin() + c * points_each_, points_each_, static_cast<int>(c));
  }
}

absl::Status Trainer::EvaluateTarget() {
  const int64_t n = z_.cols(), shards = (n + kTargetShard - 1) / kTargetShard;
  log_p_.resize(n);
  score_p_.resize(z_.rows(), n);
  evaluations_.resize(shards);
  pool_.ParallelFor(shards, [&](int64_t s, int) {
    const int64_t first = s * kTargetShard, count = std::min(kTargetShard, n - first);
    TargetShard& shard = evaluations_[s];
    shard.status = target_.Evaluate(z_.middleCols(first, count), &shard.log_p, &shard.score);
    if (!shard.status.ok()) return;
    log_p_.segment(first, count) = shard.log_p;
    score_p_.middleCols(first, count) = shard.score;
  });
  for (const TargetShard& shard : evaluations_) {
    if (!shard.status.ok()) return shard.status;
  }
  return absl::OkStatus();
}

void Trainer::WhitenDifference(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  difference_ = a - b;
  residual_.resize(a.rows(), a.cols());
  for (size_t c = 0; c < state_->components.size(); ++c) {  // whose points stand together
    const int64_t first = static_cast<int64_t>(c) * points_each_;
    residual_.middleCols(first, points_each_).noalias() =
        state_->components[c].affine.scale.triangularView<Eigen::Lower>().transpose() *
        difference_.middleCols(first, points_each_);
  }
}

bool Trainer::PointGradients(StepReport* report) {
  const int64_t n = z_.cols(), dim = z_.rows();
  grad_x_.setZero(dim, n);
  *report = {0, 0, 0, 0, flow_loss_};
  squares_.clear();
  WhitenDifference(marginal_.score, score_p_);
  for (int64_t j = 0; j < n; ++j) {
    const double loss = marginal_.log_q[j] - log_p_[j];
    const double square = residual_.col(j).squaredNorm();
    if (!std::isfinite(square) || !std::isfinite(loss)) {
      residual_.col(j).setZero();
      continue;
    }
    squares_.push_back(square);
    report->loss += loss;
    report->score_residual += square;
    report->ess += marginal_.ess[j];
  }
  const int64_t finite = static_cast<int64_t>(squares_.size());
  const double count = static_cast<double>(std::max<int64_t>(finite, 1));
  report->loss /= count;
  report->score_residual /= count;
  report->ess /= count;
  report->median_residual = Median(&squares_);
  const double length = std::sqrt(report->median_residual);
  typical_length_ += (iteration_ <= 1 ? 1.0 : kForget) * (length - typical_length_);
  const double longest = std::min(kClip * std::sqrt(static_cast<double>(dim)),
                                  kClipTypical * std::max(typical_length_, length));
  for (int64_t j = 0; j < n; ++j) {
    const double own = residual_.col(j).norm();
    grad_x_.col(j) = (residual_.col(j) * (own > longest ? longest / own : 1.0)).cast<float>() /
                     static_cast<float>(points_each_);
  }
  return static_cast<double>(finite) >= kMinFinite * static_cast<double>(n);
}

bool Trainer::UpdateFamily(int c, double rate) {
  ComponentTrainer& trainer = trainers_[c];
  Family& family = state_->components[c].family;
  Scratch& scratch = workspace_.caller();
  Scratch::Frame frame(scratch);
  TileMap epsilon = TakeTile(scratch, family.latent_dim(), points_each_);
  TileMap eta = TakeTile(scratch, family.dim(), points_each_);
  TileMap grad_x = TakeTile(scratch, family.dim(), points_each_);
  epsilon = trainer.sample.epsilon;
  eta = trainer.sample.eta;
  grad_x = grad_x_.middleCols(c * points_each_, points_each_);
  trainer.family_gradient.setZero();
  family.Backward(Const(epsilon), Const(eta), Const(grad_x), scratch, &trainer.family_gradient);
  if (!trainer.family_gradient.allFinite()) return false;
  trainer.family_adam.Step(rate, trainer.family_gradient, &family.parameters(), pool_);
  return true;
}

// Exponentiated gradient: log π_c moves along E_{q_c}[log p̃ − log q], whose equality over the
// components is the optimum.
void Trainer::UpdateWeights(double rate_factor) {
  const int64_t components = static_cast<int64_t>(state_->components.size());
  if (components == 1) return;
  Eigen::VectorXd& log_weight = log_weight_;
  Eigen::VectorXd& elbo = elbo_;
  log_weight.resize(components);
  elbo.resize(components);
  for (int64_t c = 0; c < components; ++c) {
    double sum = 0;
    int64_t finite = 0;
    for (int64_t j = c * points_each_; j < (c + 1) * points_each_; ++j) {
      const double v = log_p_[j] - marginal_.log_q[j];
      if (!std::isfinite(v)) continue;
      sum += v;
      ++finite;
    }
    if (finite == 0) return;
    elbo[c] = sum / static_cast<double>(finite);
    log_weight[c] = state_->components[c].log_weight;
  }
  const double mean = (log_weight.array().exp() * elbo.array()).sum();
  log_weight.array() += kWeightRate * rate_factor * (elbo.array() - mean).max(-1.0).min(1.0);
  const double top = log_weight.maxCoeff();
  const double norm = top + std::log((log_weight.array() - top).exp().sum());
  for (int64_t c = 0; c < components; ++c) state_->components[c].log_weight = log_weight[c] - norm;
}

void Trainer::UpdateAverages() {
  const int64_t window = std::max<int64_t>(1, options_.iterations / kAverageShare);
  const float share = 1.0f / static_cast<float>(std::min(++averaged_, window));
  for (size_t c = 0; c < trainers_.size(); ++c) {
    const Component& component = state_->components[c];
    ComponentTrainer& trainer = trainers_[c];
    trainer.family_average += share * (component.family.parameters() - trainer.family_average);
    trainer.flow_average += share * (component.proposal.parameters() - trainer.flow_average);
  }
}

ModelState Trainer::Averaged() const {
  ModelState state = *state_;
  for (size_t c = 0; averaged_ > 0 && c < trainers_.size(); ++c) {
    state.components[c].family.parameters() = trainers_[c].family_average;
    state.components[c].proposal.parameters() = trainers_[c].flow_average;
  }
  return state;
}

MarginalRequest Trainer::InnerRequestFor(uint32_t iteration) const {
  return {.state = state_,
          .z = &z_,
          .origin = &origin_,
          .estimate = method_.estimate,
          .own_epsilon = method_.own_epsilon,
          .seed = options_.seed,
          .purpose = RngPurpose::kInner,
          .iteration = iteration,
          .samples = inner_samples_,
          .want_score = true,
          .cancel = cancel_};
}

void Trainer::Restore(const ModelState& state, bool forget) {
  *state_ = state;
  averaged_ = 0;
  for (size_t c = 0; c < trainers_.size(); ++c) {
    ComponentTrainer& trainer = trainers_[c];
    const Component& component = state_->components[c];
    trainer.family_average = component.family.parameters();
    trainer.flow_average = component.proposal.parameters();
    if (!forget) continue;
    trainer.family_adam =
        Adam(trainer.family_average.size(), options_.adam_beta1, options_.adam_beta2);
    if (component.has_proposal) {
      trainer.flow_adam =
          Adam(trainer.flow_average.size(), options_.adam_beta1, options_.adam_beta2);
    }
  }
}

double Trainer::ScoreNoise() {
  EstimateMarginal(InnerRequestFor(iteration_ | kSecondSet), pool_, workspace_, &second_marginal_);
  WhitenDifference(marginal_.score, second_marginal_.score);
  squares_.clear();
  for (int64_t j = 0; j < z_.cols(); ++j) {
    const double square = residual_.col(j).squaredNorm();
    if (std::isfinite(square)) squares_.push_back(square);
  }
  // Half, because the difference carries the noise of both sets.
  return 0.5 * Median(&squares_);
}

void Trainer::Adapt() {
  const double steps = static_cast<double>(window_steps_);
  const double ess = window_ess_ / steps, residual = window_residual_ / steps;
  window_ess_ = window_residual_ = 0;
  window_steps_ = 0;
  if (options_.flow_steps > 0) {
    if (ess < kLowEss && flow_steps_ < kMostFlowSteps * options_.flow_steps) ++flow_steps_;
    if (ess > kHighEss && flow_steps_ > options_.flow_steps) --flow_steps_;
  }
  const double flop =
      InnerSampleFlop(state_->components.front()) * static_cast<double>(z_.cols() * inner_samples_);
  const int64_t asked = options_.inner_samples * options_.chunks;
  const double noise = ScoreNoise();
  if (noise > kNoisy * residual && inner_samples_ < kMostSamples * asked && 2 * flop < kStepFlop) {
    inner_samples_ *= 2;
  } else if (noise < kQuiet * residual && ess > kNearExactEss &&
             kMostSamples * inner_samples_ > asked && inner_samples_ >= 2 * kFewestSamples) {
    inner_samples_ /= 2;
  }
}

absl::StatusOr<bool> Trainer::Step(double rate_factor, StepReport* report) {
  const int components = static_cast<int>(state_->components.size());
  Stopwatch watch;
  if (flow_steps_ != 1) {
    for (int64_t i = 0; i < flow_steps_; ++i) FlowStep(rate_factor);
  }
  watch.Book(&seconds_.flow);
  SamplePoints();
  watch.Book(&seconds_.points);
  if (flow_steps_ == 1) {
    for (int c = 0; c < components; ++c) {
      if (!state_->components[c].has_proposal) continue;
      if (!TrainFlow(c, trainers_[c].sample, options_.flow_learning_rate * rate_factor)) ++skipped_;
    }
  }
  watch.Book(&seconds_.flow);
  if (absl::Status s = EvaluateTarget(); !s.ok()) return s;
  watch.Book(&seconds_.target);
  EstimateMarginal(InnerRequestFor(iteration_), pool_, workspace_, &marginal_);
  if (cancel_ != nullptr && cancel_->load()) return false;
  watch.Book(&seconds_.inner);
  ++iteration_;
  bool fine = PointGradients(report);
  for (int c = 0; fine && c < components; ++c) {
    fine = UpdateFamily(c, options_.learning_rate * rate_factor);
  }
  if (fine) {
    UpdateWeights(rate_factor);
    UpdateAverages();
    window_ess_ += report->ess;
    window_residual_ += report->median_residual;
    if (++window_steps_ >= kAdaptEvery && options_.adaptive) Adapt();
  } else {
    ++skipped_;
  }
  watch.Book(&seconds_.family);
  return fine;
}

}  // namespace aisivi
