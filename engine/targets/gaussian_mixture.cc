#include "engine/targets/gaussian_mixture.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace aisivi {
namespace {

class GaussianMixture final : public BuiltinTarget {
 public:
  GaussianMixture(const Eigen::VectorXd& weights, Eigen::MatrixXd means,
                  std::vector<Eigen::MatrixXd> factors)
      : BuiltinTarget(static_cast<int>(means.rows())),
        means_(std::move(means)),
        factors_(std::move(factors)),
        log_constants_(weights.size()) {
    for (Eigen::Index c = 0; c < weights.size(); ++c) {
      log_constants_(c) =
          std::log(weights(c)) - 0.5 * dim() * kLog2Pi - factors_[c].diagonal().array().log().sum();
    }
  }

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    const Eigen::Index components = log_constants_.size();
    Eigen::MatrixXd w(z.rows(), z.cols());
    Eigen::MatrixXd log_terms(z.cols(), components);
    for (Eigen::Index c = 0; c < components; ++c) {
      Whiten(z, c, &w);
      log_terms.col(c) = (log_constants_(c) - 0.5 * w.colwise().squaredNorm().array()).transpose();
    }
    // The floor keeps -inf − -inf out of points so far away that every square overflows.
    const Eigen::ArrayXd peak =
        log_terms.rowwise().maxCoeff().cwiseMax(std::numeric_limits<double>::lowest());
    log_terms = (log_terms.array().colwise() - peak).exp();
    const Eigen::ArrayXd total = log_terms.rowwise().sum();
    *log_density = peak + total.log();
    if (score == nullptr) return;
    score->setZero();
    for (Eigen::Index c = 0; c < components; ++c) {
      Whiten(z, c, &w);
      factors_[c].transpose().triangularView<Eigen::Upper>().solveInPlace(w);
      const Eigen::ArrayXd responsibility = log_terms.col(c).array() / total;
      score->array() -= w.array().rowwise() * responsibility.transpose();
    }
  }

  // w = L_c⁻¹ (z − m_c), D×N.
  void Whiten(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::Index c,
              Eigen::MatrixXd* w) const {
    *w = z.colwise() - means_.col(c);
    factors_[c].triangularView<Eigen::Lower>().solveInPlace(*w);
  }

  Eigen::MatrixXd means_;                 // D×C
  std::vector<Eigen::MatrixXd> factors_;  // C of D×D, L_c
  Eigen::VectorXd log_constants_;         // C; log w_c − D/2 log 2π − log det L_c
};

// The weights divided by their sum, which must be 1 up to the rounding of typed figures.
Eigen::VectorXd ReadWeights(ParameterReader& reader) {
  const Eigen::VectorXd& weights = reader.Vector("weights");
  for (Eigen::Index c = 0; c < weights.size(); ++c) {
    if (weights(c) > 0) continue;
    reader.Fail("weights", absl::StrFormat("entry %d is not positive", c + 1));
    return weights;
  }
  const double sum = weights.sum();
  if (std::abs(sum - 1) > 1e-6) {
    reader.Fail("weights", absl::StrFormat("sum to %g, not to 1", sum));
  }
  return weights / sum;
}

std::unique_ptr<const Target> BuildMixture(ParameterReader& reader) {
  const Eigen::VectorXd weights = ReadWeights(reader);
  const Eigen::MatrixXd& means = reader.Matrix("means");
  const std::vector<Eigen::MatrixXd>& covariances = reader.Matrices("covariances");
  const Eigen::Index components = weights.size();
  reader.CheckDimension("means", static_cast<double>(means.cols()));
  if (means.rows() != components) {
    reader.Fail("means",
                absl::StrFormat("has %d rows, weights has %d entries", means.rows(), components));
  }
  if (static_cast<Eigen::Index>(covariances.size()) != components) {
    reader.Fail("covariances", absl::StrFormat("has %d matrices, weights has %d entries",
                                               covariances.size(), components));
  }
  if (!reader.ok()) return nullptr;
  std::vector<Eigen::MatrixXd> factors;
  for (Eigen::Index c = 0; c < components && reader.ok(); ++c) {
    factors.push_back(CholeskyFactor(reader, "covariances", absl::StrCat("matrix ", c + 1, " "),
                                     covariances[c], static_cast<int>(means.cols())));
  }
  if (!reader.ok()) return nullptr;
  return MakeGaussianMixture(weights, means.transpose(), std::move(factors));
}

}  // namespace

std::unique_ptr<const Target> MakeGaussianMixture(const Eigen::VectorXd& weights,
                                                  const Eigen::MatrixXd& means,
                                                  std::vector<Eigen::MatrixXd> factors) {
  return std::make_unique<GaussianMixture>(weights, means, std::move(factors));
}

BuiltinSpec GaussianMixtureSpec() {
  BuiltinSpec spec;
  spec.name = "gaussian_mixture";
  spec.doc = "z ~ sum over c of weights[c] N(means[c], covariances[c]). Normalised.";
  spec.dimension_rule = "columns of means";
  spec.parameters = {
      {"weights", ParameterKind::kVector, "C positive numbers that sum to 1.", ""},
      {"means", ParameterKind::kMatrix, "CxD, one component per row; D <= 10000.", ""},
      {"covariances", ParameterKind::kMatrixList,
       "C matrices, each DxD, symmetric and positive definite.", ""},
  };
  spec.build = BuildMixture;
  spec.known_log_z = [](ParameterReader&) { return 0.0; };
  spec.example = {
      {"weights", Eigen::VectorXd{{0.3, 0.7}}},
      {"means", Eigen::MatrixXd{{-1.5, 0.5}, {1.0, -1.0}}},
      {"covariances", std::vector<Eigen::MatrixXd>{Eigen::MatrixXd{{1.0, 0.4}, {0.4, 0.8}},
                                                   Eigen::MatrixXd{{0.5, -0.1}, {-0.1, 1.2}}}},
  };
  return spec;
}

}  // namespace aisivi
