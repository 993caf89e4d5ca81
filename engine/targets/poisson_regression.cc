#include "engine/targets/poisson_regression.h"

#include <cmath>

#include "absl/strings/str_format.h"
#include "engine/targets/generalized_linear.h"

namespace aisivi {
namespace {

class PoissonRegression final : public BuiltinTarget {
 public:
  PoissonRegression(const Eigen::MatrixXd& x, const Eigen::VectorXd& y, double precision)
      : BuiltinTarget({RealParameter("beta", {x.cols()})}),
        x_(x),
        y_(y),
        precision_(precision),
        log_constant_(0.5 * dim() * (std::log(precision) - kLog2Pi)) {
    for (double count : y) log_constant_ -= LogGamma(count + 1);
  }

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    *log_density = log_constant_ - 0.5 * precision_ * z.colwise().squaredNorm().array();
    if (score != nullptr) *score = -precision_ * z;
    const auto tile = [this](Eigen::Index row, Eigen::Ref<Eigen::MatrixXd> eta,
                             Eigen::Ref<Eigen::VectorXd> sums, bool gradient) {
      const Eigen::VectorXd y = y_.segment(row, eta.rows());
      const Eigen::ArrayXXd rate = eta.array().exp();
      sums += eta.transpose() * y - rate.colwise().sum().matrix().transpose();
      if (gradient) eta = (-rate).matrix().colwise() + y;
    };
    AddLinearLikelihood(x_, z, tile, log_density, score);
  }

  Eigen::MatrixXd x_;  // N×P
  Eigen::VectorXd y_;  // N
  double precision_;
  double log_constant_;  // P/2 log(α/2π) − Σ log y_i!
};

std::unique_ptr<const Target> BuildPoisson(ParameterReader& reader) {
  const Eigen::VectorXd& y = reader.Vector("y");
  CheckRegressionData(reader);
  for (Eigen::Index i = 0; i < y.size() && !reader.Failed("y"); ++i) {
    if (y(i) >= 0 && y(i) <= 1e15 && y(i) == std::floor(y(i))) continue;
    reader.Fail("y", absl::StrFormat("entry %d is %g, not a count (0, 1, 2, ...)", i + 1, y(i)));
  }
  const double precision = reader.Scale("prior_precision");
  if (!reader.ok()) return nullptr;
  return std::make_unique<PoissonRegression>(reader.Matrix("x"), y, precision);
}

}  // namespace

BuiltinSpec PoissonRegressionSpec() {
  BuiltinSpec spec;
  spec.name = "poisson_regression";
  spec.doc =
      "Bayesian Poisson regression: y_i ~ Poisson(exp(x_i . beta)), beta ~ N(0, I / "
      "prior_precision). All constants included, so log Z is the log evidence.";
  spec.dimension_rule = "columns of x";
  spec.parameters = {
      {"x", ParameterKind::kMatrix,
       "NxP, one row per observation, P <= 10000; no intercept is added.", ""},
      {"y", ParameterKind::kVector, "N counts: integers from 0 to 1e15.", ""},
      {"prior_precision", ParameterKind::kNumber, "Of every coefficient; 1e-12 to 1e12.", "0.01"},
  };
  spec.build = BuildPoisson;
  spec.name_columns = [](const Target& target, const std::vector<std::string>& columns) {
    return LabelVariable(target, "beta", columns);
  };
  spec.example = {
      {"x", Eigen::MatrixXd{{1, 0.5}, {1, -1.2}, {1, 0.3}, {1, 1.4}, {1, -0.4}}},
      {"y", Eigen::VectorXd{{3, 0, 2, 5, 1}}},
      {"prior_precision", 0.25},
  };
  return spec;
}

}  // namespace aisivi
