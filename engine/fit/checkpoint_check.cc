#include "engine/fit/checkpoint_check.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/explore/reference_state.h"
#include "engine/fit/fingerprint.h"
#include "engine/fit/sampling_run.h"
#include "engine/fit/spec_hash.h"
#include "engine/fit/start.h"

namespace aisivi {
namespace {

constexpr int64_t kMostCount = int64_t{1} << 40;  // of steps and reports, so that nothing overflows
constexpr double kMostSeconds = 1e9;
constexpr int64_t kMostInner = 1 << 22;  // of the final evidence
constexpr int64_t kMostGrowth = 16;      // of inner samples and flow steps, with room to spare

bool IsCount(int64_t value) { return value >= 0 && value <= kMostCount; }

bool AreSeconds(double value) { return value >= 0 && value <= kMostSeconds; }

// Checks the parts of a checkpoint against the model that a fit with these options has.
class Checker {
 public:
  Checker(const FitOptions& options, int64_t dim, const MethodEntry& method, ModelState untrained)
      : options_(options), dim_(dim), method_(method), untrained_(std::move(untrained)) {}

  bool Fits(const RestartsState& state, bool runs) const;
  bool Fits(const RunState& state) const;
  static bool Fits(const ReporterState& state);

 private:
  bool Fits(const ModelState& model) const;
  bool Fits(const FitResult& result) const;
  bool Fits(const std::optional<ModelState>& model) const { return !model || Fits(*model); }
  bool Fits(const std::optional<TrainingState>& state) const { return !state || Fits(*state); }
  bool Fits(const TrainingState& state) const;
  bool Fits(const TrainerState& state, const ModelState& model) const;
  bool Fits(const Adaptation& state) const;
  bool Fits(const ScheduleState& state) const;
  bool Fits(const EvidenceState& state) const;
  static bool Fits(const TrainingProgress& progress);
  static bool Fits(const DrawGroups& groups) { return groups.size >= 1 && IsCount(groups.first); }
  // Whether the state has what its stage needs.
  bool HasWhatItNeeds(const RunState& state) const;

  const FitOptions& options_;
  const int64_t dim_;
  const MethodEntry& method_;
  const ModelState untrained_;  // of one component
};

bool SameFamily(const FamilyConfig& a, const FamilyConfig& b) {
  return a.dim == b.dim && a.latent_dim == b.latent_dim && a.hidden == b.hidden &&
         a.gaussian_latent == b.gaussian_latent && a.linear_skip == b.linear_skip &&
         a.sigma_network == b.sigma_network && a.sigma_scale == b.sigma_scale &&
         a.particles == b.particles;
}

bool SameProposal(const ProposalConfig& a, const ProposalConfig& b) {
  return a.dim == b.dim && a.latent_dim == b.latent_dim && a.linear_base == b.linear_base &&
         a.slope == b.slope && a.sigma_scale == b.sigma_scale && a.sigmoid == b.sigmoid &&
         a.coupling == b.coupling && a.couplings == b.couplings &&
         a.coupling_hidden == b.coupling_hidden && a.base_hidden == b.base_hidden;
}

bool Checker::Fits(const ModelState& model) const {
  const Component& wanted = untrained_.components.front();
  return !model.IsDrawSet() && !model.components.empty() &&
         std::all_of(model.components.begin(), model.components.end(), [&](const Component& c) {
           return SameFamily(c.family.config(), wanted.family.config()) &&
                  c.has_proposal == wanted.has_proposal &&
                  (!c.has_proposal || SameProposal(c.proposal.config(), wanted.proposal.config()));
         });
}

bool Checker::Fits(const FitResult& result) const {
  if (result.model == nullptr || !IsCount(result.evidence.draws)) return result.model == nullptr;
  return result.model->state().IsDrawSet() ? result.model->dim() == dim_
                                           : Fits(result.model->state());
}

bool Checker::Fits(const Adaptation& state) const {
  const int64_t asked = options_.inner_samples * options_.chunks;
  return state.asked_inner_samples == asked && state.asked_flow_steps == options_.flow_steps &&
         state.total_inner_samples >= 1 && state.total_inner_samples <= kMostGrowth * asked &&
         state.flow_steps >= 0 && state.flow_steps <= kMostGrowth * options_.flow_steps &&
         IsCount(state.steps);
}

bool Checker::Fits(const TrainerState& state, const ModelState& model) const {
  const size_t components = model.components.size();
  if (state.family_adam.size() != components || state.flow.adam.size() != components ||
      state.averages.family.size() != components || state.averages.flow.size() != components ||
      !IsCount(state.averages.steps) || !IsCount(state.skipped_steps) ||
      !IsCount(state.objective.typical_length.steps) || !Fits(state.objective.adaptation)) {
    return false;
  }
  const auto adam_fits = [](const AdamState& adam, int64_t size) {
    return adam.m.size() == size && adam.v.size() == size && IsCount(adam.steps);
  };
  for (size_t c = 0; c < components; ++c) {
    const int64_t family = model.components[c].family.parameters().size();
    const int64_t flow = model.components[c].proposal.parameters().size();
    if (!adam_fits(state.family_adam[c].state(), family) ||
        !adam_fits(state.flow.adam[c].state(), flow) || state.averages.family[c].size() != family ||
        state.averages.flow[c].size() != flow) {
      return false;
    }
  }
  return true;
}

bool Checker::Fits(const ScheduleState& state) const {
  return state.descent >= -1 && state.descent <= options_.iterations && state.end >= 0 &&
         state.end <= options_.iterations;
}

bool Checker::Fits(const TrainingProgress& progress) {
  const int64_t kept = static_cast<int64_t>(progress.elbo.recent.size());
  return IsCount(progress.steps) && IsCount(progress.non_finite_steps) &&
         IsCount(progress.criterion_steps) && IsCount(progress.elbo.steps) &&
         IsCount(progress.rates.halved_at) && kept == std::min(progress.elbo.steps, kRunningSteps);
}

bool Checker::Fits(const TrainingState& state) const {
  return Fits(state.model) && Fits(state.return_point.model) &&
         state.return_point.model.components.size() == state.model.components.size() &&
         Fits(state.trainer, state.model) && Fits(state.schedule) && Fits(state.progress);
}

bool Checker::Fits(const EvidenceState& state) const {
  return state.inner_samples >= 0 && state.inner_samples <= kMostInner && Fits(state.groups) &&
         state.log_p.size() == state.log_q.size() &&
         state.log_p.size() == state.log_q_upper.size() &&
         static_cast<int64_t>(state.log_p.size()) <= options_.evidence_draws;
}

bool Checker::HasWhatItNeeds(const RunState& state) const {
  const bool trains = method_.objective != nullptr;
  if (state.stage != RunStage::kEvidence && state.reason != TerminationReason::kNone) return false;
  switch (state.stage) {
    case RunStage::kStart:
      return true;
    case RunStage::kLook:
      return !method_.samples && !state.starts.empty();
    case RunStage::kChoice:
    case RunStage::kPretraining:
    case RunStage::kTraining:
    case RunStage::kProposals:
      return trains && state.training.has_value();
    case RunStage::kSampling:
      return method_.samples && !state.starts.empty();
    case RunStage::kEvidence:
      return state.best.model.has_value();
  }
  return false;
}

bool Checker::Fits(const RunState& state) const {
  return HasWhatItNeeds(state) && AreSeconds(state.seconds) && AreSeconds(state.time_limit) &&
         AreSeconds(state.training_began) && IsCount(state.shown) &&
         IsCount(state.flow_iteration) && Fits(state.best.model) &&
         Fits(state.best.held_out.groups) && Fits(state.contender) && Fits(state.training) &&
         Fits(state.evidence) &&
         std::all_of(state.starts.begin(), state.starts.end(),
                     [&](const Start& start) { return Fits(start.state); }) &&
         CheckReferenceState(state.sampler, SamplerOptions(options_, dim_), dim_).ok();
}

bool Checker::Fits(const RestartsState& state, bool runs) const {
  const bool done = state.run == options_.restarts;
  if (state.run < 0 || state.run > options_.restarts || done == runs || done != state.afresh) {
    return false;
  }
  const bool has_best = state.best.has_value() && state.best->model != nullptr;
  return (!done || has_best) && (!state.best || Fits(*state.best)) && Fits(state.evidence) &&
         std::all_of(state.draws.begin(), state.draws.end(),
                     [&](const Eigen::MatrixXd& z) { return z.rows() == dim_; });
}

bool Checker::Fits(const ReporterState& state) {
  return IsCount(state.calls) && state.stride >= 1 && IsCount(state.stride) &&
         IsCount(state.current.iteration) && IsCount(state.current.total_iterations);
}

}  // namespace

absl::Status CheckCheckpoint(const FitCheckpoint& checkpoint, const Target& target,
                             const FitOptions& options, const MethodEntry& method) {
  if (checkpoint.fingerprint != NumericFingerprint()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "checkpoint: made where the numeric fingerprint is ", checkpoint.fingerprint, ", which is ",
        NumericFingerprint(), " here: the fit would not go on with the same bits"));
  }
  const absl::StatusOr<uint64_t> spec = SpecHash(target, options);
  if (!spec.ok()) return spec.status();
  if (checkpoint.spec != *spec) {
    return absl::FailedPreconditionError(
        "checkpoint: of another fit: its target or its options are not these");
  }
  const Checker checker(options, target.dim(), method, UntrainedModel(options, target.dim()));
  if (!AreSeconds(checkpoint.seconds) || !Checker::Fits(checkpoint.record) ||
      !checker.Fits(checkpoint.restarts, checkpoint.run.has_value()) ||
      (checkpoint.run.has_value() && !checker.Fits(*checkpoint.run))) {
    return absl::DataLossError("checkpoint: its parts do not fit together");
  }
  return absl::OkStatus();
}

}  // namespace aisivi
