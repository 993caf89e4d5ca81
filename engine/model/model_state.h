// The parts of a fitted model: a mixture of semi-implicit components, each in its own whitened
// coordinates, or a set of draws.
//
//   q(z) = Σ_c π_c q_c(A_c⁻¹ (z − b_c)) / |det A_c|
//
// The component is the discrete part of ε. One component is the usual case.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "engine/family/family.h"
#include "engine/model/draw_set.h"
#include "engine/proposal/proposal.h"

namespace aisivi {

// z = b + A x.
struct AffineMap {
  Eigen::VectorXd shift;  // b, D
  Eigen::MatrixXd scale;  // A, D×D lower triangular with a positive diagonal

  static AffineMap Identity(int64_t dim);
  double LogDet() const;  // log |det A|
  // x: D×N singles; z: D×N doubles.
  Eigen::MatrixXd Apply(const Eigen::Ref<const Eigen::MatrixXf>& x) const;
  Eigen::MatrixXf Solve(const Eigen::Ref<const Eigen::MatrixXd>& z) const;
  // The same into arrays of the caller's, who keeps `work` from call to call; z: D×N.
  void Apply(const Eigen::Ref<const Eigen::MatrixXf>& x, Eigen::MatrixXd* work,
             Eigen::Ref<Eigen::MatrixXd> z) const;
  void Solve(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::MatrixXd* work,
             Eigen::MatrixXf* x) const;
};

struct Component {
  double log_weight = 0;  // log π_c
  AffineMap affine;
  Family family;
  Proposal proposal;
  bool has_proposal = false;  // else inner samples come from p(ε)
};

// Operations of one inner sample: a multiplication and an addition per weight it meets. Of the
// proposal's weights those on the point z are met once for all its samples: half of an affine
// coupling's, a few of a spline's.
double InnerSampleFlop(const Component& component);

// Components, or draws, never both.
struct ModelState {
  std::vector<Component> components;  // at least one; Σ π_c = 1
  DrawSet draws;                      // at least one

  bool IsDrawSet() const { return draws.size() > 0; }
  int64_t dim() const { return IsDrawSet() ? draws.z.rows() : components.front().family.dim(); }
};

// Whether the networks of every component can be used: of the proposal only where there is one.
bool ParametersAreFinite(const ModelState& model);

}  // namespace aisivi
