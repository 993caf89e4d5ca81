#include "engine/fit/start.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/warmstart/gaussian_fit.h"
#include "engine/warmstart/mixture_fit.h"

namespace aisivi {
namespace {

Component MakeComponent(const FitOptions& o, int64_t dim, AffineMap affine, uint64_t seed) {
  Component component;
  component.affine = std::move(affine);
  FamilyConfig family;
  family.dim = dim;
  family.latent_dim = o.latent_dim == 0 ? dim : o.latent_dim;
  family.hidden = o.hidden;
  family.gaussian_latent = o.latent == "gaussian";
  family.linear_skip = o.linear_skip;
  family.sigma_network = o.sigma == "network";
  family.sigma_scale = static_cast<float>(o.sigma_scale);
  component.family = Family(family);
  component.family.Initialize(seed);
  component.has_proposal = o.flow_steps > 0 || o.flow_pretrain_iterations > 0;
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
  proposal.couplings = o.couplings;
  proposal.coupling_hidden =
      o.coupling_hidden == 0 ? 2 * (family.latent_dim + dim) : o.coupling_hidden;
  proposal.base_hidden = o.hidden;
  component.proposal = Proposal(proposal);
  component.proposal.Initialize(seed);
  return component;
}

}  // namespace

absl::StatusOr<ModelState> StartModel(const Target& target, const FitOptions& options,
                                      ThreadPool& pool, const std::atomic<bool>* cancel,
                                      std::vector<std::string>* log) {
  ModelState state;
  const int64_t dim = target.dim();
  if (options.warm_start == "none") {
    log->push_back("No warm start was asked for: the fit starts at the origin with unit scale.");
    state.components.push_back(MakeComponent(options, dim, AffineMap::Identity(dim), options.seed));
    return state;
  }
  absl::StatusOr<std::vector<GaussianFit>> fits =
      FitGaussianCandidates(target, options.seed, pool, cancel, log);
  if (!fits.ok()) return fits.status();
  const GaussianFit& single = fits->front();
  if (options.warm_start == "gaussian") {
    log->push_back(
        absl::StrFormat("Start: %s, ELBO %.3f ± %.3f.", single.how, single.elbo, single.elbo_se));
    state.components.push_back(
        MakeComponent(options, dim, AffineMap{single.mean, single.scale}, options.seed));
    return state;
  }
  const absl::StatusOr<MixtureFit> mixture =
      FitMixture(target, single, options.seed, pool, cancel, log);
  if (!mixture.ok()) return mixture.status();
  const int64_t components = mixture->weights.size();
  for (int64_t c = 0; c < components; ++c) {
    const GaussianFit& part = mixture->components[c];
    state.components.push_back(MakeComponent(options, dim, AffineMap{part.mean, part.scale},
                                             options.seed + static_cast<uint64_t>(c)));
    state.components.back().log_weight = std::log(mixture->weights[c]);
  }
  log->push_back(
      components == 1
          ? absl::StrFormat("Start: %s, ELBO %.3f ± %.3f.", single.how, single.elbo, single.elbo_se)
          : absl::StrFormat("Start: a mixture of %d Gaussians, ELBO %.3f ± %.3f.", components,
                            mixture->elbo, mixture->elbo_se));
  return state;
}

}  // namespace aisivi
