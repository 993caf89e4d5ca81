#include "engine/model/model_state.h"

#include <algorithm>

#include "engine/proposal/couplings.h"

namespace aisivi {

AffineMap AffineMap::Identity(int64_t dim) {
  return {Eigen::VectorXd::Zero(dim), Eigen::MatrixXd::Identity(dim, dim)};
}

double AffineMap::LogDet() const { return scale.diagonal().array().log().sum(); }

Eigen::MatrixXd AffineMap::Apply(const Eigen::Ref<const Eigen::MatrixXf>& x) const {
  Eigen::MatrixXd work, z(shift.size(), x.cols());
  Apply(x, &work, z);
  return z;
}

Eigen::MatrixXf AffineMap::Solve(const Eigen::Ref<const Eigen::MatrixXd>& z) const {
  Eigen::MatrixXd work;
  Eigen::MatrixXf x;
  Solve(z, &work, &x);
  return x;
}

void AffineMap::Apply(const Eigen::Ref<const Eigen::MatrixXf>& x, Eigen::MatrixXd* work,
                      Eigen::Ref<Eigen::MatrixXd> z) const {
  *work = x.cast<double>();
  z.noalias() = scale.triangularView<Eigen::Lower>() * *work;
  z.colwise() += shift;
}

void AffineMap::Solve(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::MatrixXd* work,
                      Eigen::MatrixXf* x) const {
  *work = z.colwise() - shift;
  scale.triangularView<Eigen::Lower>().solveInPlace(*work);
  *x = work->cast<float>();
}

double InnerSampleFlop(const Component& component) {
  const ProposalConfig& c = component.proposal.config();
  const CouplingEntry& coupling = EntryOf(c.coupling);
  // Weights of a hidden unit: of the kept half of ε, of the outputs, and of the point.
  const double half = 0.5 * static_cast<double>(c.latent_dim);
  const double live = half * static_cast<double>(coupling.networks + coupling.outputs);
  const double context = static_cast<double>(coupling.networks * c.dim);
  return 2.0 *
         (static_cast<double>(component.family.parameters().size()) +
          live / (live + context) * static_cast<double>(component.proposal.parameters().size()));
}

bool ParametersAreFinite(const ModelState& model) {
  return std::all_of(model.components.begin(), model.components.end(), [](const Component& c) {
    return c.family.parameters().allFinite() &&
           (!c.has_proposal || c.proposal.parameters().allFinite());
  });
}

}  // namespace aisivi
