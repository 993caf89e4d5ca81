#include "engine/fit/trainer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace aisivi {
namespace {

constexpr double kMinFinite = 0.5;     // share of finite points below which a step is skipped
constexpr int64_t kAverageShare = 16;  // averages look back over iterations / so many steps

ObjectiveOptions ObjectiveOptionsOf(const FitOptions& o) {
  return {.seed = o.seed,
          .inner_samples = o.inner_samples * o.chunks,
          .adaptive = o.adaptive,
          .kernel = KernelOfName(o.kernel).value_or(KernelKind::kGaussian),
          .v_statistic = o.v_statistic,
          .chain = {o.chain_burn_in, o.chain_samples, o.chain_leapfrogs}};
}

}  // namespace

Trainer::Trainer(const Target& target, const FitOptions& options, const MethodEntry& method,
                 ThreadPool& pool, ModelState* model, TrainerState state,
                 const std::atomic<bool>* cancel)
    : target_(target),
      options_(options),
      objective_(method.objective(ObjectiveOptionsOf(options))),
      pool_(pool),
      model_(model),
      cancel_(cancel),
      workspace_(pool),
      flow_training_{options_,
                     PointsOfEach(options.points, static_cast<int64_t>(model->components.size())),
                     pool_, workspace_},
      state_(std::move(state)),
      at_points_(target, pool) {}

Trainer::Trainer(const Target& target, const FitOptions& options, const MethodEntry& method,
                 ThreadPool& pool, ModelState* model, const std::atomic<bool>* cancel)
    : Trainer(target, options, method, pool, model, TrainerState(), cancel) {
  state_.flow = BeginFlowTraining(flow_training_, model_, &flow_buffers_);
  for (const Component& component : model_->components) {
    state_.family_adam.emplace_back(component.family.parameters().size(), options_.adam_beta1,
                                    options_.adam_beta2);
  }
  state_.averages = BeginAverages(*model_);
  state_.objective.adaptation =
      BeginAdaptation(options_.inner_samples * options_.chunks, options_.flow_steps);
}

bool Trainer::FlowStep(double rate_factor) {
  const bool fine = aisivi::FlowStep(flow_training_, options_.flow_learning_rate * rate_factor,
                                     model_, &state_.flow, &flow_buffers_);
  if (!fine) ++state_.skipped_steps;
  return fine;
}

void Trainer::TrainFlows(double rate_factor) {
  for (size_t c = 0; c < model_->components.size(); ++c) {
    const Component& component = model_->components[c];
    if (!component.has_proposal) continue;
    // The points of the family step must be new to the proposal that they are judged by.
    SampleComponent(component, options_.seed, RngPurpose::kLatent, RngPurpose::kSharedNoise,
                    state_.iteration, static_cast<uint32_t>(c), flow_training_.points,
                    workspace_.caller(), &shared_);
    if (!TrainFlow(flow_training_, c, shared_, options_.flow_learning_rate * rate_factor, model_,
                   &state_.flow, &flow_buffers_)) {
      ++state_.skipped_steps;
    }
  }
}

void Trainer::AddGradient(const Family& family, const LatentGradient& at) {
  const int64_t n = at.epsilon.cols();
  Scratch& scratch = workspace_.caller();
  Scratch::Frame frame(scratch);
  TileMap epsilon = TakeTile(scratch, family.latent_dim(), n);
  TileMap eta = TakeTile(scratch, family.dim(), n);
  TileMap grad_x = TakeTile(scratch, family.dim(), n);
  TileMap grad_log_sigma = TakeTile(scratch, family.dim(), n);
  epsilon = at.epsilon;
  if (at.eta.cols() > 0) {
    eta = at.eta;
  } else {
    eta.setZero();
  }
  grad_x = at.grad_x;
  const bool direct = at.grad_log_sigma.cols() > 0;
  if (direct) grad_log_sigma = at.grad_log_sigma;
  const ConstTileMap owed = Const(grad_log_sigma);
  family.Backward(Const(epsilon), Const(eta), Const(grad_x), direct ? &owed : nullptr, scratch,
                  &family_gradient_);
}

bool Trainer::UpdateFamily(size_t c, double rate) {
  Family& family = model_->components[c].family;
  family_gradient_.setZero(family.parameters().size());
  const ComponentSample& sample = points_.samples[c];
  const int64_t n = flow_training_.points, first = static_cast<int64_t>(c) * n;
  const int64_t direct = gradients_.grad_log_sigma.cols() > 0 ? n : 0;
  AddGradient(family, {sample.epsilon, sample.eta, gradients_.grad_x.middleCols(first, n),
                       gradients_.grad_log_sigma.middleCols(direct > 0 ? first : 0, direct)});
  if (!gradients_.latents.empty()) {
    const LatentGradients& own = gradients_.latents[c];
    AddGradient(family, {own.epsilon, Eigen::MatrixXf(), own.grad_mean, own.grad_log_sigma});
  }
  if (!Adam::CanStep(family_gradient_)) return false;
  state_.family_adam[c].Step(rate, family_gradient_, &family.parameters(), pool_);
  return true;
}

StepInput Trainer::Input() {
  return {target_, *model_, points_, at_points_, state_.iteration, pool_, workspace_, cancel_};
}

void Trainer::ForgetMoments() {
  for (size_t c = 0; c < model_->components.size(); ++c) {
    const Component& component = model_->components[c];
    state_.family_adam[c] =
        Adam(component.family.parameters().size(), options_.adam_beta1, options_.adam_beta2);
    if (!component.has_proposal) continue;
    state_.flow.adam[c] =
        Adam(component.proposal.parameters().size(), options_.adam_beta1, options_.adam_beta2);
  }
}

void Trainer::Restore(const ModelState& model, bool forget) {
  *model_ = model;
  state_.averages = BeginAverages(*model_);
  if (forget) ForgetMoments();
}

void Trainer::TrainProposals(int64_t iterations, int64_t done,
                             const std::function<void(int64_t)>& before_step) {
  if (done == 0 && !options_.keep_last) Restore(AveragedModel(), /*forget=*/false);
  for (int64_t i = done; i < iterations && !(cancel_ != nullptr && cancel_->load()); ++i) {
    before_step(i);
    const double t = static_cast<double>(i) / static_cast<double>(iterations);
    FlowStep(0.5 * (1 + std::cos(M_PI * t)));
  }
  state_.averages = BeginAverages(*model_);
}

bool Trainer::Learn(double rate_factor, StepReport* report) {
  *report = {gradients_.loss,           gradients_.elbo,      gradients_.ess,
             gradients_.score_residual, gradients_.criterion, state_.flow.loss};
  if (static_cast<double>(gradients_.finite) < kMinFinite * static_cast<double>(points_.z.cols())) {
    return false;
  }
  for (size_t c = 0; c < model_->components.size(); ++c) {
    if (!UpdateFamily(c, options_.learning_rate * rate_factor)) return false;
  }
  UpdateMixtureWeights(at_points_.values().log_p, gradients_.log_q, rate_factor, model_,
                       &weights_work_);
  UpdateAverages(*model_, std::max<int64_t>(1, options_.iterations / kAverageShare),
                 &state_.averages);
  objective_->AfterStep(Input(), &state_.objective);
  return true;
}

absl::StatusOr<bool> Trainer::Step(double rate_factor, StepReport* report) {
  const int64_t flow_steps = state_.objective.adaptation.flow_steps;
  Stopwatch watch;
  for (int64_t i = 0; flow_steps != 1 && i < flow_steps; ++i) FlowStep(rate_factor);
  watch.Book(&seconds_.flow);
  SamplePoints(*model_, options_.seed, state_.iteration, flow_training_.points, workspace_.caller(),
               &points_);
  watch.Book(&seconds_.points);
  at_points_.Begin(points_.z);
  watch.Book(&seconds_.target);
  if (flow_steps == 1) TrainFlows(rate_factor);
  watch.Book(&seconds_.flow);
  at_points_.TakeSeconds();  // booked
  const absl::Status learned = objective_->Gradients(Input(), &state_.objective, &gradients_);
  if (!learned.ok()) return learned;
  if (cancel_ != nullptr && cancel_->load()) return false;
  watch.Book(&seconds_.inner);
  const double waited = at_points_.TakeSeconds();
  seconds_.target += waited;
  seconds_.inner -= waited;
  const bool fine = Learn(rate_factor, report);
  ++state_.iteration;
  if (!fine) ++state_.skipped_steps;
  watch.Book(&seconds_.family);
  return fine;
}

}  // namespace aisivi
