#include "engine/fit/trainer.h"

#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

constexpr double kMinFinite = 0.5;         // share of finite points below which a step is skipped
constexpr int64_t kAverageShare = 16;      // averages look back over iterations / so many steps
constexpr uint32_t kSecondSet = 1u << 31;  // iterations stay below

}  // namespace

Trainer::Trainer(const Target& target, const FitOptions& options, const MethodEntry& method,
                 ThreadPool& pool, ModelState* model, const std::atomic<bool>* cancel)
    : target_(target),
      options_(options),
      method_(method),
      pool_(pool),
      model_(model),
      cancel_(cancel),
      workspace_(pool),
      flow_training_{options_,
                     PointsOfEach(options, static_cast<int64_t>(model->components.size())), pool_,
                     workspace_} {
  state_.flow = BeginFlowTraining(flow_training_, model_, &flow_buffers_);
  for (const Component& component : model_->components) {
    state_.family_adam.emplace_back(component.family.parameters().size(), options_.adam_beta1,
                                    options_.adam_beta2);
  }
  state_.averages = BeginAverages(*model_);
  state_.adaptation = BeginAdaptation(options_);
}

bool Trainer::FlowStep(double rate_factor) {
  const bool fine = aisivi::FlowStep(flow_training_, options_.flow_learning_rate * rate_factor,
                                     model_, &state_.flow, &flow_buffers_);
  if (!fine) ++state_.skipped_steps;
  return fine;
}

void Trainer::TrainFlows(double rate_factor) {
  for (size_t c = 0; c < model_->components.size(); ++c) {
    if (!model_->components[c].has_proposal) continue;
    if (!TrainFlow(flow_training_, c, points_.samples[c], options_.flow_learning_rate * rate_factor,
                   model_, &state_.flow, &flow_buffers_)) {
      ++state_.skipped_steps;
    }
  }
}

bool Trainer::UpdateFamily(size_t c, double rate) {
  Family& family = model_->components[c].family;
  const ComponentSample& sample = points_.samples[c];
  const int64_t n = flow_training_.points;
  Scratch& scratch = workspace_.caller();
  Scratch::Frame frame(scratch);
  TileMap epsilon = TakeTile(scratch, family.latent_dim(), n);
  TileMap eta = TakeTile(scratch, family.dim(), n);
  TileMap grad_x = TakeTile(scratch, family.dim(), n);
  epsilon = sample.epsilon;
  eta = sample.eta;
  grad_x = gradients_.grad_x.middleCols(static_cast<int64_t>(c) * n, n);
  family_gradient_.setZero(family.parameters().size());
  family.Backward(Const(epsilon), Const(eta), Const(grad_x), scratch, &family_gradient_);
  if (!family_gradient_.allFinite()) return false;
  state_.family_adam[c].Step(rate, family_gradient_, &family.parameters(), pool_);
  return true;
}

MarginalRequest Trainer::InnerRequestFor(uint32_t iteration) const {
  return {.state = model_,
          .z = &points_.z,
          .origin = &points_.origin,
          .estimate = method_.estimate,
          .own_epsilon = method_.own_epsilon,
          .seed = options_.seed,
          .purpose = RngPurpose::kInner,
          .iteration = iteration,
          .samples = state_.adaptation.total_inner_samples,
          .want_score = true,
          .cancel = cancel_};
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

// The noise of s_q comes from a second set of inner samples at the points of the last step.
void Trainer::AdaptToNoise() {
  EstimateMarginal(InnerRequestFor(state_.iteration | kSecondSet), pool_, workspace_,
                   &second_marginal_);
  const double noise = ScoreNoise(*model_, marginal_.score, second_marginal_.score, &gradients_);
  const double flop = InnerSampleFlop(model_->components.front()) *
                      static_cast<double>(points_.z.cols() * state_.adaptation.total_inner_samples);
  Adapt(options_, noise, flop, &state_.adaptation);
}

bool Trainer::Learn(double rate_factor, StepReport* report) {
  MakePointGradients(*model_, marginal_, points_.log_p, points_.score_p, &state_.typical_length,
                     &gradients_);
  *report = {gradients_.loss, gradients_.ess, gradients_.score_residual, gradients_.median_residual,
             state_.flow.loss};
  if (static_cast<double>(gradients_.finite) < kMinFinite * static_cast<double>(points_.z.cols())) {
    return false;
  }
  for (size_t c = 0; c < model_->components.size(); ++c) {
    if (!UpdateFamily(c, options_.learning_rate * rate_factor)) return false;
  }
  UpdateMixtureWeights(points_.log_p, marginal_.log_q, rate_factor, model_, &weights_work_);
  UpdateAverages(*model_, std::max<int64_t>(1, options_.iterations / kAverageShare),
                 &state_.averages);
  const bool due = RecordStep(report->ess, report->median_residual, &state_.adaptation);
  if (due && options_.adaptive) AdaptToNoise();
  return true;
}

absl::StatusOr<bool> Trainer::Step(double rate_factor, StepReport* report) {
  const int64_t flow_steps = state_.adaptation.flow_steps;
  Stopwatch watch;
  for (int64_t i = 0; flow_steps != 1 && i < flow_steps; ++i) FlowStep(rate_factor);
  watch.Book(&seconds_.flow);
  SamplePoints(*model_, options_.seed, state_.iteration, flow_training_.points, workspace_.caller(),
               &points_);
  watch.Book(&seconds_.points);
  if (flow_steps == 1) TrainFlows(rate_factor);
  watch.Book(&seconds_.flow);
  if (absl::Status s = EvaluateTarget(target_, pool_, &points_); !s.ok()) return s;
  watch.Book(&seconds_.target);
  EstimateMarginal(InnerRequestFor(state_.iteration), pool_, workspace_, &marginal_);
  if (cancel_ != nullptr && cancel_->load()) return false;
  watch.Book(&seconds_.inner);
  ++state_.iteration;
  const bool fine = Learn(rate_factor, report);
  if (!fine) ++state_.skipped_steps;
  watch.Book(&seconds_.family);
  return fine;
}

}  // namespace aisivi
