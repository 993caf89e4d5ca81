// Models made by hand.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "engine/model/model.h"
#include "engine/model/model_state.h"
#include "tests/engine/family/testing.h"

namespace aisivi::test {

struct ComponentShape {
  int64_t dim = 1, latent = 1;
  bool skip = true, sigma_network = false, gaussian = true;
  bool proposal = true;
  int64_t couplings = 2;
  CouplingKind coupling = CouplingKind::kAffine;
  double wildness = 0;  // sd of what is added to the start; 0: exactly N(shift, A Aᵀ) with the skip
  float sigma = 0.5f;
  int64_t particles = 0;
};

inline Component MakeComponent(const ComponentShape& shape, const Eigen::VectorXd& shift,
                               const Eigen::MatrixXd& scale, double weight, Random& random) {
  Component component;
  component.log_weight = std::log(weight);
  component.affine = {shift, scale};
  component.family = Family({.dim = shape.dim,
                             .latent_dim = shape.latent,
                             .hidden = 7,
                             .gaussian_latent = shape.gaussian,
                             .linear_skip = shape.skip,
                             .sigma_network = shape.sigma_network,
                             .sigma_scale = shape.sigma,
                             .particles = shape.particles});
  component.family.Initialize(5);
  Perturb(shape.wildness, random, &component.family.parameters());
  component.has_proposal = shape.proposal;
  if (!shape.proposal) return component;
  component.proposal = Proposal({.dim = shape.dim,
                                 .latent_dim = shape.latent,
                                 .linear_base = shape.gaussian,
                                 .slope = shape.skip ? std::sqrt(1 - shape.sigma * shape.sigma) : 0,
                                 .sigma_scale = shape.sigma,
                                 .sigmoid = !shape.gaussian,
                                 .coupling = shape.coupling,
                                 .couplings = shape.couplings,
                                 .coupling_hidden = 2 * (shape.dim + shape.latent),
                                 .base_hidden = 9});
  component.proposal.Initialize(6);
  Perturb(0.5 * shape.wildness, random, &component.proposal.parameters());
  return component;
}

inline std::shared_ptr<const Model> MakeModel(std::vector<Component> components) {
  ModelState state;
  state.components = std::move(components);
  return std::make_shared<const Model>(std::make_unique<const ModelState>(std::move(state)));
}

inline std::shared_ptr<const Model> MakeModel(DrawSet draws) {
  auto state = std::make_unique<ModelState>();
  state->draws = std::move(draws);
  return std::make_shared<const Model>(std::move(state));
}

// A one-dimensional component at `shift` with standard deviation about `scale`.
inline Component MakeLineComponent(const ComponentShape& shape, double shift, double scale,
                                   double weight, Random& random) {
  return MakeComponent(shape, Eigen::VectorXd::Constant(1, shift),
                       Eigen::MatrixXd::Constant(1, 1, scale), weight, random);
}

// A lower triangular matrix with a positive diagonal.
inline Eigen::MatrixXd RandomScale(int64_t dim, Random& random) {
  Eigen::MatrixXd scale = Normals(dim, dim, 0.5, random).triangularView<Eigen::Lower>();
  scale.diagonal() = (scale.diagonal().array().abs() + 0.5).matrix();
  return scale;
}

// log q(z) of a model in one dimension, by quadrature.
inline Eigen::VectorXd LineLogDensity(const ModelState& state, const Eigen::MatrixXd& z) {
  Eigen::VectorXd density = Eigen::VectorXd::Zero(z.cols());
  for (const Component& c : state.components) {
    const double shift = c.affine.shift[0], scale = c.affine.scale(0, 0);
    const LatentGrid grid = MakeLatentGrid(c.family.config(), 1500);
    const Eigen::MatrixXd x = ((z.array() - shift) / scale).matrix();
    density.array() +=
        std::exp(c.log_weight) / scale * Marginal(c.family, grid, x).log_q.array().exp();
  }
  return density.array().log();
}

}  // namespace aisivi::test
