// Gaussian mixtures with a known answer, drawn at random or fixed, for the study of verdicts.
//
//   p(z) = Σ_c w_c N(z; m_c, Σ_c),   Σ_c = L_c L_cᵀ,   log Z = 0
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/targets/target.h"

namespace aisivi::experiments {

struct MixtureCase {
  std::string name;
  uint64_t seed = 0;
  Eigen::VectorXd weights;               // C, sum 1
  Eigen::MatrixXd means;                 // D×C
  std::vector<Eigen::MatrixXd> factors;  // C lower Cholesky factors L_c, D×D

  Eigen::Index dimension() const { return means.rows(); }
  Eigen::Index components() const { return means.cols(); }
  // The geometric mean of the standard deviations of component c along its axes.
  double Scale(Eigen::Index c) const;
  std::unique_ptr<const Target> MakeTarget() const;
};

// D uniform on 2 … 30 and C on 2 … 60. Every component has a random rotation and standard
// deviations along its axes that are log-uniform within a factor of 1.5 about a scale, itself
// log-uniform within a factor of 1.4 about 1 ("random"), or both within a factor of 3
// ("very_unequal": there the widest component rules everywhere but in a share of the space that can
// be below 1e-10, and no search that only evaluates the density can meet the others). Means are
// normal about a centre with a spread log-uniform on (1, 30), so that mixtures go from blurred to
// far apart; three in ten lie within a few standard deviations of an earlier one. Weights: 0.001
// and a Dirichlet share of the rest, whose concentration is log-uniform on (0.3, 3).
MixtureCase RandomMixture(std::string_view name, uint64_t seed);

// "far_apart": 40 equal components N(m, 1.3² I), m uniform on (−40, 40)^50.
// "two_scales": ½ N(0, I) + ½ N(30·1, 4 I), D = 20.
// "grid": 100 equal Gaussians of sd 1 on a 10×10 grid of spacing 6 about the origin.
// "shifted_grid": the same about a point uniform on (−100, 100)².
const std::vector<std::string>& FixedMixtureNames();
MixtureCase FixedMixture(std::string_view name, uint64_t seed);

// The expected share of the points z (D×N) that belong to each component: the mean of the
// responsibilities, C numbers with sum 1.
Eigen::VectorXd ComponentShares(const MixtureCase& mixture, const Eigen::MatrixXd& z);

}  // namespace aisivi::experiments
