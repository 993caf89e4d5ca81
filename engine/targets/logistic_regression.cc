#include "engine/targets/logistic_regression.h"

#include <cmath>

#include "absl/strings/str_format.h"
#include "engine/targets/generalized_linear.h"

namespace aisivi {
namespace {

class LogisticRegression final : public BuiltinTarget {
 public:
  LogisticRegression(const Eigen::MatrixXd& x, const Eigen::VectorXd& y, double precision)
      : BuiltinTarget({RealParameter("beta", {x.cols()})}),
        signed_x_((2 * y.array() - 1).matrix().asDiagonal() * x),
        precision_(precision) {}

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    const double log_constant = 0.5 * dim() * (std::log(precision_) - kLog2Pi);
    *log_density = log_constant - 0.5 * precision_ * z.colwise().squaredNorm().array();
    if (score != nullptr) *score = -precision_ * z;
    AddLinearLikelihood(signed_x_, z, AddTile, log_density, score);
  }

  // eta: s_i x_iᵀβ. log σ(t) = min(t, 0) − log(1 + e^{−|t|}) loses nothing at either end.
  static void AddTile(Eigen::Index, Eigen::Ref<Eigen::MatrixXd> eta,
                      Eigen::Ref<Eigen::VectorXd> log_density, bool gradient) {
    const Eigen::ArrayXXd decay = (-eta.array().abs()).exp();
    log_density += (eta.array().cwiseMin(0.0) - decay.log1p()).colwise().sum().matrix().transpose();
    if (!gradient) return;
    // σ(−t) is e^{−t}/(1 + e^{−t}) for positive t, 1/(1 + eᵗ) otherwise.
    eta = (eta.array() > 0).select(decay, 1.0) / (1 + decay);
  }

  Eigen::MatrixXd signed_x_;  // N×P, row i is s_i x_i
  double precision_;
};

std::unique_ptr<const Target> BuildLogistic(ParameterReader& reader) {
  const Eigen::VectorXd& y = reader.Vector("y");
  CheckRegressionData(reader);
  for (Eigen::Index i = 0; i < y.size() && !reader.Failed("y"); ++i) {
    if (y(i) == 0 || y(i) == 1) continue;
    reader.Fail("y", absl::StrFormat("entry %d is %g, not 0 or 1", i + 1, y(i)));
  }
  const double precision = reader.Scale("prior_precision");
  if (!reader.ok()) return nullptr;
  return std::make_unique<LogisticRegression>(reader.Matrix("x"), y, precision);
}

}  // namespace

BuiltinSpec LogisticRegressionSpec() {
  BuiltinSpec spec;
  spec.name = "logistic_regression";
  spec.doc =
      "Bayesian logistic regression: y_i ~ Bernoulli(1 / (1 + exp(-x_i . beta))), beta ~ N(0, I / "
      "prior_precision). All constants included, so log Z is the log evidence.";
  spec.dimension_rule = "columns of x";
  spec.parameters = {
      {"x", ParameterKind::kMatrix,
       "NxP, one row per observation, P <= 10000; no intercept is added.", ""},
      {"y", ParameterKind::kVector, "N responses, each 0 or 1.", ""},
      {"prior_precision", ParameterKind::kNumber, "Of every coefficient; 1e-12 to 1e12.", "0.01"},
  };
  spec.build = BuildLogistic;
  spec.name_columns = [](const Target& target, const std::vector<std::string>& columns) {
    return LabelVariable(target, "beta", columns);
  };
  spec.example = {
      {"x", Eigen::MatrixXd{{1, 0.5}, {1, -1.2}, {1, 0.3}, {1, 2.0}, {1, -0.4}, {1, 0.9}}},
      {"y", Eigen::VectorXd{{1, 0, 0, 1, 0, 1}}},
      {"prior_precision", 0.5},
  };
  return spec;
}

}  // namespace aisivi
