#include "engine/fit/start.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/methods/methods.h"
#include "engine/warmstart/gaussian_fit.h"
#include "engine/warmstart/mixture_fit.h"

namespace aisivi {
namespace {

constexpr double kWorthATry = 10;  // nats of ELBO below the best Gaussian
constexpr size_t kMostStarts = 3;

Component MakeComponent(const FitOptions& o, int64_t dim, AffineMap affine, uint32_t index) {
  Component component;
  component.affine = std::move(affine);
  FamilyConfig family;
  family.dim = dim;
  family.latent_dim = o.latent_dim == 0 ? dim : o.latent_dim;
  family.hidden = FamilyHidden(o, dim);
  family.gaussian_latent = o.latent == "gaussian";
  family.linear_skip = o.linear_skip;
  family.sigma_network = o.sigma == "network";
  family.sigma_scale = static_cast<float>(o.sigma_scale);
  const absl::StatusOr<const MethodEntry*> method = FindMethod(o.method);
  family.particles = method.ok() && (*method)->particles ? o.particles : 0;
  component.family = Family(family);
  component.family.Initialize(o.seed, index);
  component.has_proposal =
      o.flow_steps > 0 || o.flow_pretrain_iterations > 0 || o.evidence_flow_iterations > 0;
  if (!component.has_proposal) return component;
  ProposalConfig proposal;
  proposal.dim = dim;
  proposal.latent_dim = family.latent_dim;
  proposal.linear_base = o.proposal_base == "linear";
  proposal.sigma_scale = std::min(family.sigma_scale, 1.0f);
  proposal.slope = o.linear_skip && proposal.linear_base
                       ? std::sqrt(1.0f - family.sigma_scale * family.sigma_scale)
                       : 0.0f;
  proposal.sigmoid = !family.gaussian_latent;
  proposal.coupling = FindCoupling(o.coupling);
  proposal.couplings = o.couplings;
  proposal.coupling_hidden = CouplingHidden(o, dim);
  proposal.base_hidden = family.hidden;
  component.proposal = Proposal(proposal);
  component.proposal.Initialize(o.seed, index);
  return component;
}

ModelState SingleComponent(const FitOptions& o, int64_t dim, AffineMap affine) {
  ModelState state;
  state.components.push_back(MakeComponent(o, dim, std::move(affine), 0));
  return state;
}

Start FromGaussian(const FitOptions& o, const GaussianFit& fit) {
  return {SingleComponent(o, fit.mean.size(), AffineMap{fit.mean, fit.scale}),
          absl::StrFormat("%s, ELBO %.3f ± %.3f", fit.how, fit.elbo, fit.elbo_se)};
}

Start FromMixture(const FitOptions& o, const MixtureFit& mixture) {
  const int64_t components = mixture.weights.size();
  Start start;
  for (int64_t c = 0; c < components; ++c) {
    const GaussianFit& part = mixture.components[c];
    start.state.components.push_back(MakeComponent(
        o, part.mean.size(), AffineMap{part.mean, part.scale}, static_cast<uint32_t>(c)));
    start.state.components.back().log_weight = std::log(mixture.weights[c]);
  }
  start.how = absl::StrFormat("a mixture of %d Gaussians, ", components);
  start.how += mixture.cut_short
                   ? "not fitted to the end"
                   : absl::StrFormat("ELBO %.3f ± %.3f", mixture.elbo, mixture.elbo_se);
  return start;
}

}  // namespace

ModelState UntrainedModel(const FitOptions& options, int64_t dim) {
  return SingleComponent(options, dim, AffineMap::Identity(dim));
}

absl::StatusOr<Starts> StartModels(const Target& target, const FitOptions& options,
                                   ThreadPool& pool, const std::atomic<bool>* cancel,
                                   std::vector<std::string>* log) {
  Starts result;
  std::vector<Start>& starts = result.starts;
  const int64_t dim = target.dim();
  if (options.warm_start == "none") {
    starts.push_back(
        {UntrainedModel(options, dim), "none was asked for: the origin with unit scale"});
    return result;
  }
  const absl::StatusOr<std::vector<GaussianFit>> fits =
      FitGaussianCandidates(target, options.seed, pool, cancel, log);
  if (!fits.ok()) return fits.status();
  const GaussianFit& best = fits->front();
  absl::StatusOr<MixtureFit> mixture = FitMixture(target, best, options.seed, pool, cancel, log);
  if (absl::IsCancelled(mixture.status()) || absl::IsUnavailable(mixture.status())) {
    // The caller, who knows whether it was the clock or the target, can still begin with what there
    // is.
    log->emplace_back("The search for modes was cut short.");
    mixture = MixtureFit();
    mixture->search.end = MultistartEnd::kOutOfWork;
  }
  if (!mixture.ok()) return mixture.status();
  result.search = mixture->search;
  if (options.warm_start == "gaussian") {
    if (mixture->weights.size() > 1) result.search.end = MultistartEnd::kNotFitted;
    starts.push_back(FromGaussian(options, best));
    return result;
  }
  if (mixture->weights.size() > 1) starts.push_back(FromMixture(options, *mixture));
  for (const GaussianFit& fit : *fits) {
    if (fit.elbo > best.elbo - kWorthATry && starts.size() < kMostStarts) {
      starts.push_back(FromGaussian(options, fit));
    }
  }
  return result;
}

}  // namespace aisivi
