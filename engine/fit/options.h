// Every hyperparameter of a fit, with its default and range; and the published settings by name.
//
// Symbols as in the paper (arXiv 2506.03839): m points per step, k inner samples per point and
// chunk, latent ε ∈ R^E.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace aisivi {

struct FitOptions {
  std::string method = "aisivi";  // a name in MethodRegistry()
  uint64_t seed = 1;

  // Schedule.
  int64_t points = 128;                  // m
  int64_t inner_samples = 64;            // k
  int64_t chunks = 1;                    // inner batches of k per point, aggregated
  int64_t flow_pretrain_iterations = 0;  // flow steps before the first family step
  int64_t iterations = 2000;             // family steps
  int64_t flow_steps = 2;                // flow steps per family step; 1 shares the step's ε
  double learning_rate = 0.001;          // family
  double flow_learning_rate = 0.003;     // flow
  double decay = 0.1;                    // both learning rates are multiplied by this …
  // … every so many iterations; 0: constant until the held-out ELBO has settled or most iterations
  // are used, then one cosine descent (schedule.h).
  int64_t decay_every = 0;
  // k follows the noise of the score, flow_steps the ESS (adaptation.h); with decay_every = 0 the
  // learning rates climb while the ELBO does (learning_rates.h).
  bool adaptive = true;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double time_limit = 0;  // seconds; 0: none. The best state so far is kept.
  // The result is the last iterate, as in the published runs; else the best of the averaged states
  // that the held-out checks saw.
  bool keep_last = false;

  // Semi-implicit family q(z) = ∫ N(z; μ_φ(ε), diag σ²) p(ε) dε.
  std::string latent = "gaussian";  // p(ε): "gaussian" N(0, I) or "uniform" on [0,1]^E
  int64_t latent_dim = 0;           // E; 0: D
  // Units in each of the two hidden layers of μ_φ; 0: 4 D, a multiple of 16 from 64 to 128.
  int64_t hidden = 0;
  bool linear_skip = true;  // μ_φ(ε) = √(1−σ₀²) ε + MLP(ε); needs E = D, gaussian ε
  std::string sigma = "network";  // "vector": one σ per dimension; "network": σ_φ(ε)
  double sigma_scale = 0.5;       // σ₀ with linear_skip; else σ = scale · softplus(ρ)

  // Proposal τ_θ(ε|z).
  std::string proposal_base = "linear";  // "standard": N(0, I); "linear": starts at the exact
                                         // reverse conditional of the linear skip
  // What the couplings do to their half: "affine", a scale and a shift; "spline", a monotone
  // rational-quadratic spline (engine/proposal/couplings.h).
  std::string coupling = "affine";
  int64_t couplings = 4;
  // Units in the hidden layer of each coupling MLP; 0: 2 (E + D), with a linear base at most 128.
  int64_t coupling_hidden = 0;
  // Where a standard base starts: "inverse", the first points' ε come from N(0, I), one coordinate
  // at a time; "forward", ε is base noise, or its sigmoid, as in the published runs.
  std::string flow_normalisation = "inverse";

  // Start: "auto" (Gaussians from several places and a mixture of them, compared by their ELBO and
  // by a short training of each), "gaussian" (the best single Gaussian), "none" (identity).
  std::string warm_start = "auto";
  // Independent runs, each with a seed of its own; the one with the best elbo_lower is the result,
  // and R̂ over their draws is part of its verdict. 1 for a method that samples: it has an R̂ of its
  // own.
  int64_t restarts = 1;

  // Methods by kernels ("ksivi", "kpg", "kpg_is").
  std::string kernel = "gaussian";  // a name in KernelNames(); the bandwidth: median heuristic
  bool v_statistic = false;         // "ksivi": pairs of a point with itself count

  // Chains of latents ("uivi"), see engine/methods/latent_chain.h.
  int64_t chain_burn_in = 5;    // trajectories before a state counts
  int64_t chain_samples = 5;    // states that count
  int64_t chain_leapfrogs = 5;  // steps of a trajectory

  // The mixing measure of "pvi": M particles, see engine/family/family.h.
  int64_t particles = 100;

  // Flow steps after training, for the evidence of a method that trains without a proposal.
  int64_t evidence_flow_iterations = 0;
  // Final evidence estimate (see engine/evidence/evidence.h).
  int64_t evidence_draws = 8192;         // M; of a method that samples, the draws to keep
  int64_t evidence_inner_samples = 512;  // K to begin with; doubled until the bounds meet

  // Methods that sample ("reference"); see engine/explore/reference.h.
  double reference_standard_error = 0.05;     // of log Z, in nats, to reach; 0: one round
  int64_t reference_evaluations = 2'000'000;  // of the target, at most, about
  // How particles move: "hmc", exactly, or "sgld", by Langevin steps without a test, whose draws
  // and log Z have a bias of the order of reference_step (engine/explore/annealing.h).
  std::string reference_kernel = "hmc";
  double reference_step = 0.1;  // h of "sgld": the variance of a step's noise, in whitened units
};

// What hidden = 0 and coupling_hidden = 0 mean for a target of dimension `dim`, or the value
// itself.
int64_t FamilyHidden(const FitOptions& options, int64_t dim);
int64_t CouplingHidden(const FitOptions& options, int64_t dim);

// One row of the table that names, documents and bounds every hyperparameter.
struct OptionDoc {
  std::string name;  // snake_case, as in the public API
  std::string doc;
  // Where the value lives.
  std::variant<int64_t FitOptions::*, double FitOptions::*, bool FitOptions::*,
               std::string FitOptions::*>
      member;
  double min = 0, max = 0;           // inclusive range of a number
  std::vector<std::string> choices;  // the allowed values of a text
};

// All hyperparameters except `method` and `seed`. Lives for the whole process.
const std::vector<OptionDoc>& OptionTable();

// Sets the option called `name`. INVALID_ARGUMENT "NAME: …" when there is no such option or the
// value is of the wrong kind, out of range, not finite, or not one of its choices. Integers are
// accepted for doubles.
absl::Status SetOption(std::string_view name,
                       const std::variant<int64_t, double, bool, std::string>& value,
                       FitOptions* options);

// Checks every option by itself and, when each is in range, together, for a target of dimension
// `dim`. INVALID_ARGUMENT "NAME: …" for each that does not fit; none when all do.
std::vector<absl::Status> InvalidOptions(const FitOptions& options, int dim);

// The first of these, or OK.
absl::Status ValidateOptions(const FitOptions& options, int dim);

// Sets what `options->method` implies. "gaussian" is the start alone: no iterations, warm_start
// "gaussian", and the linear family and proposal that are exactly that Gaussian. "iwhvi" has no
// couplings and a linear base. A method of particles has no proposal.
void ApplyMethod(FitOptions* options);

// The published settings (arXiv 2506.03839, 2405.18997): "aisivi_banana", "aisivi_multimodal",
// "aisivi_x_shaped", "aisivi_logistic", "aisivi_diffusion", "bsivi_…" of the same, and
// "ksivi_logistic", "ksivi_diffusion", and "kpg_is_…" of the same (arXiv 2506.05088 and its code);
// "uivi_banana", "uivi_multimodal", "uivi_x_shaped" (arXiv 1808.02078), "sivi_multimodal",
// "sivi_x_shaped" (arXiv 1805.11183) and "pvi_x_shaped" (arXiv 2407.00649). What the engine cannot
// express of a setting, and why other methods have none, stands beside the table.
struct Preset {
  std::string name;
  std::string doc;
  FitOptions options;
};
const std::vector<Preset>& Presets();
// NOT_FOUND (the message lists the names) when there is none.
absl::StatusOr<FitOptions> FindPreset(std::string_view name);

}  // namespace aisivi
