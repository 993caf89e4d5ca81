#include "engine/fit/sampling_run.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/explore/reference.h"
#include "engine/fit/safe_point.h"
#include "engine/fit/termination.h"

namespace aisivi {
namespace {

std::vector<AffineGaussian> Gaussians(const ModelState& start) {
  std::vector<AffineGaussian> result;
  for (const Component& component : start.components) {
    result.push_back({component.affine.shift, component.affine.scale});
  }
  return result;
}

// One round of the particles makes the draws that are wanted.
int64_t ParticlesOfAnIsland(const ReferenceOptions& sampler, int64_t dim) {
  const int64_t chains = sampler.islands * sampler.states;
  const int64_t wanted = (sampler.draws + chains - 1) / chains * sampler.states;
  const int64_t affordable = sampler.max_evaluations / chains * sampler.states;
  return std::min({std::max(sampler.particles, wanted), affordable, MostParticles(sampler, dim)});
}

void Report(int64_t evaluations, double log_z, Reporter& reporter) {
  FitProgress& current = reporter.current();
  current.iteration = std::min(evaluations, current.total_iterations);
  current.log_z = log_z;
  reporter.Report();
}

// A run that was stopped is told by what stopped it.
TerminationReason ReasonOf(ReferenceEnd end, const Deadline& deadline) {
  switch (end) {
    case ReferenceEnd::kOneRound:
    case ReferenceEnd::kAccurate:
      return TerminationReason::kConverged;
    case ReferenceEnd::kStopped:
      return deadline.Cancelled() ? TerminationReason::kCancelled : TerminationReason::kTimeLimit;
    case ReferenceEnd::kTargetLost:
      return TerminationReason::kTargetLost;
    default:
      return TerminationReason::kIterationLimit;
  }
}

EvidenceEstimate EvidenceOf(const Reference& reference, const FitOptions& options) {
  EvidenceEstimate evidence;
  evidence.kind = EvidenceKind::kAnnealing;
  evidence.log_z = reference.log_z;
  evidence.standard_error = reference.standard_error;
  evidence.ess = reference.ess;
  evidence.draws = reference.draws.cols();
  evidence.wanted_error = options.reference_standard_error;
  evidence.kernel_bias = reference.kernel_bias;
  return evidence;
}

std::string Account(const Reference& reference) {
  const std::string bias =
      reference.kernel_bias == 0
          ? ""
          : absl::StrFormat("; unadjusted steps, about %.2g from the target in total variation",
                            reference.kernel_bias);
  return absl::StrFormat(
      "Sampled: %d rounds, the last of %d temperatures, %d evaluations; log Z %.4f ± %.4f (%.4f "
      "from all temperatures at once), R̂ %.4f, ESS %.0f of %d draws%s.",
      reference.rounds, reference.levels.size(), reference.evaluations, reference.log_z,
      reference.standard_error, reference.log_z_multistate, reference.r_hat, reference.ess,
      reference.draws.cols(), bias);
}

}  // namespace

ReferenceOptions SamplerOptions(const FitOptions& options, int64_t dim) {
  ReferenceOptions result;
  result.target_standard_error = options.reference_standard_error;
  result.max_evaluations = options.reference_evaluations;
  result.draws = std::min(options.evidence_draws, MostDraws(dim));
  if (options.reference_kernel == "sgld") result.kernel = AnnealingKernel::kSgld;
  result.langevin_step = options.reference_step;
  result.particles = ParticlesOfAnIsland(result, dim);
  return result;
}

absl::Status SampleTarget(RunContext& run, FitResult* result) {
  const FitOptions& options = run.options;
  run.deadline.Set(kSamplingShare);
  if (run.stage != RunStage::kSampling) {
    run.reporter.Phase(FitPhase::kSampling, options.reference_evaluations);
    run.stage = RunStage::kSampling;
  }
  absl::StatusOr<Reference> reference = SampleReference(
      run.target, Gaussians(run.starts.front().state), SamplerOptions(options, run.target.dim()),
      options.seed, run.pool, run.deadline.flag(),
      [&](const ReferenceProgress& progress) {
        Report(progress.evaluations, progress.log_z, run.reporter);
      },
      [&] { SafePoint(run); }, &run.sampler);
  if (absl::IsCancelled(reference.status())) {
    run.reason = ReasonOf(ReferenceEnd::kStopped, run.deadline);
    return absl::OkStatus();
  }
  if (!reference.ok()) return reference.status();
  run.reason = ReasonOf(reference->end, run.deadline);
  Report(reference->evaluations, reference->log_z, run.reporter);
  run.log.push_back(Account(*reference));
  result->message = absl::StrCat("Sampling ended: ", std::string(Describe(reference->end)), ".");
  result->evidence = EvidenceOf(*reference, options);
  result->r_hat = reference->r_hat;
  auto state = std::make_unique<ModelState>();
  state->draws = {.z = std::move(reference->draws),
                  .log_p = std::move(reference->log_density),
                  .log_z = reference->log_z};
  result->model = std::make_shared<const Model>(std::move(state));
  return absl::OkStatus();
}

}  // namespace aisivi
