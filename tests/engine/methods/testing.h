// Problems for the tests of the score estimators.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "engine/methods/estimator.h"
#include "tests/engine/family/testing.h"

namespace aisivi::test {

struct Problem {
  Family family;
  Proposal proposal;
};

struct ProblemShape {
  int64_t dim = 2, latent = 2;
  bool skip = true, sigma_network = false, gaussian = true;
  int64_t couplings = 3;
  double wildness = 0.1;  // sd of what is added to the start; 0: the start itself
  float sigma = 0.5f;
  float proposal_sigma = 0;  // 0: as the family's
  CouplingKind coupling = CouplingKind::kAffine;
};

// Sets the normalisations of the proposal, so that it reaches wherever the latents are, and beyond:
// its tails in logit(ε) are Gaussian, those of uniform latents are not, and weights at the faces of
// the cube have a mean that can be estimated only where the proposal is wide.
inline void SpreadOverLatents(Random& random, Problem* problem) {
  constexpr int64_t kCount = 500;
  const FamilyConfig& c = problem->family.config();
  std::uniform_real_distribution<double> uniform(0, 1);
  Eigen::MatrixXd latents(c.latent_dim, kCount);
  for (int64_t i = 0; i < latents.size(); ++i) {
    const double u = uniform(random), odds = std::pow(u / (1 - u), 1.6);
    latents.data()[i] = odds / (1 + odds);
  }
  const ReferenceConditional q = Conditionals(problem->family, latents);
  Scratch scratch;
  const TileMap epsilon = Put(latents, scratch);
  const TileMap x = Put(q.mean + q.sigma.cwiseProduct(Normals(c.dim, kCount, 1, random)), scratch);
  problem->proposal.InitializeNormalisation(Const(epsilon), Const(x));
}

inline Problem MakeProblem(const ProblemShape& shape, Random& random) {
  FamilyConfig family{.dim = shape.dim,
                      .latent_dim = shape.latent,
                      .hidden = 7,
                      .gaussian_latent = shape.gaussian,
                      .linear_skip = shape.skip,
                      .sigma_network = shape.sigma_network,
                      .sigma_scale = shape.sigma};
  ProposalConfig proposal{.dim = shape.dim,
                          .latent_dim = shape.latent,
                          .linear_base = shape.gaussian,
                          .sigmoid = !shape.gaussian,
                          .coupling = shape.coupling,
                          .couplings = shape.couplings,
                          .coupling_hidden = 2 * (shape.dim + shape.latent),
                          .base_hidden = 9};
  if (shape.skip) proposal.slope = std::sqrt(1 - shape.sigma * shape.sigma);
  proposal.sigma_scale = shape.proposal_sigma > 0 ? shape.proposal_sigma : shape.sigma;
  Problem problem{Family(family), Proposal(proposal)};
  problem.family.Initialize(5);
  problem.proposal.Initialize(6);
  if (shape.wildness > 0) {
    Perturb(shape.wildness, random, &problem.family.parameters());
    Perturb(shape.wildness, random, &problem.proposal.parameters());
  }
  if (!shape.gaussian) SpreadOverLatents(random, &problem);
  return problem;
}

using PassFunction = void (*)(const InnerRequest&, ThreadPool&, Workspace&, InnerEstimate*);

inline InnerEstimate RunPass(PassFunction pass, const InnerRequest& request, int threads = 2) {
  ThreadPool pool(threads);
  Workspace workspace(pool);
  InnerEstimate estimate;
  pass(request, pool, workspace, &estimate);
  return estimate;
}

}  // namespace aisivi::test
