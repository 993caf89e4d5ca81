#include "engine/fit/options.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/methods/kernel.h"
#include "engine/methods/methods.h"
#include "engine/proposal/couplings.h"

namespace aisivi {
namespace {

using F = FitOptions;

// The largest arrays a fit may ask for: numbers in one activation or parameter vector.
constexpr double kMaxNumbers = 1 << 27;
// Points whose kernel matrices fit.
constexpr double kMaxKernelPoints = 1 << 12;
// What is left to the couplings where the base is nearly right already.
constexpr int64_t kLinearBaseUnits = 128;

absl::Status CheckNumber(const OptionDoc& doc, double value) {
  if (std::isfinite(value) && value >= doc.min && value <= doc.max) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(doc.name, ": ", value, " is not in [", doc.min, ", ", doc.max, "]"));
}

absl::Status CheckText(const OptionDoc& doc, const std::string& value) {
  if (std::find(doc.choices.begin(), doc.choices.end(), value) != doc.choices.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(doc.name, ": \"", value, "\" is not one of ", absl::StrJoin(doc.choices, ", ")));
}

absl::Status CheckOne(const OptionDoc& doc, const FitOptions& options) {
  return std::visit(
      [&](auto member) -> absl::Status {
        using T = std::decay_t<decltype(options.*member)>;
        if constexpr (std::is_same_v<T, std::string>) {
          return CheckText(doc, options.*member);
        } else if constexpr (std::is_same_v<T, bool>) {
          return absl::OkStatus();
        } else {
          return CheckNumber(doc, static_cast<double>(options.*member));
        }
      },
      doc.member);
}

// Options that do not go together, each with the first of its errors.
class Conflicts {
 public:
  void Add(absl::string_view name, absl::string_view text) {
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) return;
    names_.emplace_back(name);
    errors_.push_back(absl::InvalidArgumentError(absl::StrCat(name, ": ", text)));
  }
  std::vector<absl::Status> Take() { return std::move(errors_); }

 private:
  std::vector<std::string> names_;
  std::vector<absl::Status> errors_;
};

void CheckSkip(const FitOptions& o, int dim, Conflicts* conflicts) {
  if (!o.linear_skip) {
    if (o.sigma == "network") conflicts->Add("sigma", "\"network\" needs linear_skip");
    return;
  }
  if (o.latent != "gaussian") conflicts->Add("linear_skip", "needs a \"gaussian\" latent");
  if (o.latent_dim != 0 && o.latent_dim != dim) {
    conflicts->Add("latent_dim",
                   absl::StrCat("linear_skip needs 0 or ", dim, ", the dimension of the target"));
  }
  if (o.sigma_scale >= 1) conflicts->Add("sigma_scale", "must be below 1 with linear_skip");
}

// Arrays of the family, of the proposal and of a batch.
void CheckModelSize(const FitOptions& o, int dim, Conflicts* conflicts) {
  const double d = dim, e = static_cast<double>(o.latent_dim == 0 ? dim : o.latent_dim);
  const double hidden = static_cast<double>(FamilyHidden(o, dim));
  if (hidden * (d + e + hidden) > kMaxNumbers) {
    conflicts->Add("hidden", "the family would not fit in memory");
  }
  const double units = static_cast<double>(CouplingHidden(o, dim));
  const CouplingEntry& coupling = EntryOf(FindCoupling(o.coupling));
  const double networks = static_cast<double>(coupling.networks);
  const double outputs = static_cast<double>(coupling.outputs);
  if (static_cast<double>(o.couplings) * units * (networks * (0.5 * e + d) + outputs * e) >
      kMaxNumbers) {
    conflicts->Add("couplings", "the proposal would not fit in memory");
  }
  if (static_cast<double>(o.points) *
          std::max({d, e, hidden, units, o.couplings > 0 ? outputs * 0.5 * e : 0}) >
      kMaxNumbers) {
    conflicts->Add("points", "the batch would not fit in memory");
  }
}

// What the method keeps beside them.
void CheckMethodSize(const FitOptions& o, const MethodEntry& method, int dim,
                     Conflicts* conflicts) {
  const double d = dim, e = static_cast<double>(o.latent_dim == 0 ? dim : o.latent_dim);
  const double hidden = static_cast<double>(FamilyHidden(o, dim));
  const double inner = static_cast<double>(o.inner_samples * o.chunks);
  const double points = static_cast<double>(o.points);
  if (method.particles &&
      static_cast<double>(o.particles) * std::max({d, e, hidden}) > kMaxNumbers) {
    conflicts->Add("particles", "they would not fit in memory");
  }
  const double kept =
      method.inner_of_each ? points * inner * d : (points + inner) * std::max({points, d, hidden});
  if (method.keeps_inner && kept > kMaxNumbers) {
    conflicts->Add("inner_samples",
                   "the method keeps all of them, and they would not fit in memory");
  }
  if (method.compares_pairs && points > kMaxKernelPoints) {
    conflicts->Add("points", absl::StrCat(o.method, " compares all pairs of at most ",
                                          kMaxKernelPoints, " points"));
  }
  if (static_cast<double>(o.evidence_draws) * d > kMaxNumbers) {
    conflicts->Add("evidence_draws", "the draws would not fit in memory");
  }
}

}  // namespace

int64_t FamilyHidden(const FitOptions& options, int64_t dim) {
  if (options.hidden > 0) return options.hidden;
  return std::clamp<int64_t>((4 * dim + 15) / 16 * 16, 64, 128);
}

int64_t CouplingHidden(const FitOptions& options, int64_t dim) {
  if (options.coupling_hidden > 0) return options.coupling_hidden;
  const int64_t all = 2 * (dim + (options.latent_dim == 0 ? dim : options.latent_dim));
  return options.proposal_base == "linear" ? std::min(all, kLinearBaseUnits) : all;
}

const std::vector<OptionDoc>& OptionTable() {
  static const auto* const kTable = new std::vector<OptionDoc>{
      {"points", "m, points per step", &F::points, 1, 1 << 16, {}},
      {"inner_samples", "k, inner samples per point and chunk", &F::inner_samples, 1, 1 << 20, {}},
      {"chunks", "inner batches of k per point, aggregated", &F::chunks, 1, 1 << 10, {}},
      {"flow_pretrain_iterations",
       "flow steps before the first family step",
       &F::flow_pretrain_iterations,
       0,
       1e7,
       {}},
      {"iterations", "family steps", &F::iterations, 0, 1e7, {}},
      {"flow_steps", "flow steps per family step", &F::flow_steps, 0, 1000, {}},
      {"learning_rate", "Adam step of the family", &F::learning_rate, 0, 1, {}},
      {"flow_learning_rate", "Adam step of the flow", &F::flow_learning_rate, 0, 1, {}},
      {"decay",
       "factor on both learning rates every decay_every iterations",
       &F::decay,
       1e-6,
       1,
       {}},
      {"decay_every",
       "iterations between decays; 0: a cosine descent once the ELBO has settled",
       &F::decay_every,
       0,
       1e7,
       {}},
      {"adaptive",
       "let k follow the noise of the score, flow_steps the ESS and the rates the ELBO",
       &F::adaptive,
       0,
       0,
       {}},
      {"adam_beta1", "decay of Adam's first moment", &F::adam_beta1, 0, 0.9999, {}},
      {"adam_beta2", "decay of Adam's second moment", &F::adam_beta2, 0, 0.999999, {}},
      {"keep_last", "the result is the last iterate, not the best state", &F::keep_last, 0, 0, {}},
      {"time_limit", "seconds; 0: none", &F::time_limit, 0, 1e7, {}},
      {"latent", "p(ε)", &F::latent, 0, 0, {"gaussian", "uniform"}},
      {"latent_dim", "E; 0: D", &F::latent_dim, 0, 10000, {}},
      {"hidden",
       "units in each hidden layer of the family; 0: 4 D, from 64 to 128",
       &F::hidden,
       0,
       1 << 13,
       {}},
      {"linear_skip", "μ(ε) = √(1−σ₀²) ε + MLP(ε)", &F::linear_skip, 0, 0, {}},
      {"sigma", "one σ per dimension, or σ(ε)", &F::sigma, 0, 0, {"vector", "network"}},
      {"sigma_scale",
       "σ₀ with linear_skip, else the scale of softplus(ρ)",
       &F::sigma_scale,
       1e-4,
       100,
       {}},
      {"proposal_base", "base of the proposal", &F::proposal_base, 0, 0, {"standard", "linear"}},
      {"coupling", "what a coupling does to its half: scale and shift, or a spline", &F::coupling,
       0, 0, CouplingNames()},
      {"couplings", "coupling layers of the proposal", &F::couplings, 0, 256, {}},
      {"coupling_hidden",
       "hidden units of each coupling MLP; 0: 2 (E + D), with a linear base at most 128",
       &F::coupling_hidden,
       0,
       1 << 13,
       {}},
      {"flow_normalisation",
       "direction in which a standard base is normalised at the start",
       &F::flow_normalisation,
       0,
       0,
       {"inverse", "forward"}},
      {"warm_start", "where the fit starts", &F::warm_start, 0, 0, {"auto", "gaussian", "none"}},
      {"restarts", "independent runs, of which the best is kept", &F::restarts, 1, 16, {}},
      {"kernel", "of \"ksivi\", \"kpg\" and \"kpg_is\"", &F::kernel, 0, 0, KernelNames()},
      {"v_statistic", "\"ksivi\": pairs of a point with itself count", &F::v_statistic, 0, 0, {}},
      {"chain_burn_in",
       "\"uivi\": trajectories before a state counts",
       &F::chain_burn_in,
       0,
       1000,
       {}},
      {"chain_samples", "\"uivi\": states that count", &F::chain_samples, 1, 1000, {}},
      {"chain_leapfrogs", "\"uivi\": steps of a trajectory", &F::chain_leapfrogs, 1, 100, {}},
      {"particles", "\"pvi\": M, points of the mixing measure", &F::particles, 1, 1 << 14, {}},
      {"evidence_flow_iterations",
       "flow steps after training, for the evidence",
       &F::evidence_flow_iterations,
       0,
       1e7,
       {}},
      {"evidence_draws", "M of the final evidence estimate", &F::evidence_draws, 2, 1 << 22, {}},
      {"evidence_inner_samples",
       "K of the final evidence estimate",
       &F::evidence_inner_samples,
       1,
       1 << 22,
       {}},
      {"reference_standard_error",
       "\"reference\": standard error of log Z to reach, nats; 0: one round",
       &F::reference_standard_error,
       0,
       1,
       {}},
      {"reference_evaluations",
       "\"reference\": evaluations of the target to use, at most",
       &F::reference_evaluations,
       10000,
       1e9,
       {}},
      {"reference_kernel",
       "\"reference\": particles move exactly, or by Langevin steps without a test",
       &F::reference_kernel,
       0,
       0,
       {"hmc", "sgld"}},
      {"reference_step",
       "\"sgld\": variance of a step's noise in whitened units, the order of its bias",
       &F::reference_step,
       1e-4,
       1,
       {}},
  };
  return *kTable;
}

absl::Status SetOption(std::string_view name,
                       const std::variant<int64_t, double, bool, std::string>& value,
                       FitOptions* options) {
  for (const OptionDoc& doc : OptionTable()) {
    if (doc.name != name) continue;
    FitOptions changed = *options;
    const bool matches = std::visit(
        [&](auto member) {
          using T = std::decay_t<decltype(changed.*member)>;
          if (std::holds_alternative<T>(value)) {
            changed.*member = std::get<T>(value);
            return true;
          }
          if constexpr (std::is_same_v<T, double>) {
            if (std::holds_alternative<int64_t>(value)) {
              changed.*member = static_cast<double>(std::get<int64_t>(value));
              return true;
            }
          }
          return false;
        },
        doc.member);
    if (!matches) {
      return absl::InvalidArgumentError(
          absl::StrCat(std::string(name), ": a value of another kind is needed"));
    }
    if (absl::Status status = CheckOne(doc, changed); !status.ok()) return status;
    *options = changed;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(name), ": there is no such hyperparameter"));
}

void ApplyMethod(FitOptions* options) {
  if (options->method == "iwhvi") {
    options->couplings = 0;
    options->proposal_base = "linear";
  }
  const absl::StatusOr<const MethodEntry*> method = FindMethod(options->method);
  if (method.ok() && (*method)->particles) {
    options->flow_steps = 0;
    options->flow_pretrain_iterations = 0;
    options->evidence_flow_iterations = 0;
  }
  if (options->method != "gaussian") return;
  const FitOptions defaults;
  options->warm_start = "gaussian";
  options->iterations = 0;
  options->flow_pretrain_iterations = 0;
  options->flow_steps = std::max<int64_t>(1, options->flow_steps);
  options->latent = "gaussian";
  options->latent_dim = 0;
  options->linear_skip = true;
  options->proposal_base = "linear";
  if (options->sigma_scale >= 1) options->sigma_scale = defaults.sigma_scale;
}

std::vector<absl::Status> InvalidOptions(const FitOptions& options, int dim) {
  const absl::StatusOr<const MethodEntry*> method = FindMethod(options.method);
  if (!method.ok()) return {absl::InvalidArgumentError(method.status().message())};
  std::vector<absl::Status> errors;
  for (const OptionDoc& doc : OptionTable()) {
    if (absl::Status status = CheckOne(doc, options); !status.ok()) {
      errors.push_back(std::move(status));
    }
  }
  if (!errors.empty()) return errors;
  Conflicts conflicts;
  if ((*method)->samples && options.restarts > 1) {
    conflicts.Add("restarts", absl::StrCat("must be 1 with ", options.method,
                                           ", whose R̂ is that of its own islands"));
  }
  CheckSkip(options, dim, &conflicts);
  if (options.proposal_base == "linear" && options.latent != "gaussian") {
    conflicts.Add("proposal_base", "\"linear\" needs a \"gaussian\" latent");
  }
  CheckModelSize(options, dim, &conflicts);
  CheckMethodSize(options, **method, dim, &conflicts);
  return conflicts.Take();
}

absl::Status ValidateOptions(const FitOptions& options, int dim) {
  const std::vector<absl::Status> errors = InvalidOptions(options, dim);
  return errors.empty() ? absl::OkStatus() : errors.front();
}

}  // namespace aisivi
