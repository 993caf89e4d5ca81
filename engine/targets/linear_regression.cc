#include "engine/targets/linear_regression.h"

#include <Eigen/QR>
#include <cmath>

namespace aisivi {
namespace {

// The posterior in the form that evaluates fast.
struct Reduced {
  Eigen::MatrixXd r;  // P×P upper triangular
  Eigen::VectorXd c;  // P
  double rest = 0;    // q₀: the least value of ‖y − Xβ‖² + α‖β‖²
  double observations = 0;
  double precision = 1, shape = 1, rate = 1;  // α, a, b
};

Reduced Reduce(const Eigen::MatrixXd& x, const Eigen::VectorXd& y, double precision) {
  const Eigen::Index n = x.rows(), p = x.cols();
  Eigen::MatrixXd augmented(n + p, p);
  augmented.topRows(n) = x;
  augmented.bottomRows(p) = std::sqrt(precision) * Eigen::MatrixXd::Identity(p, p);
  Eigen::VectorXd right = Eigen::VectorXd::Zero(n + p);
  right.head(n) = y;
  const Eigen::HouseholderQR<Eigen::Ref<Eigen::MatrixXd>> qr(augmented);
  right.applyOnTheLeft(qr.householderQ().adjoint());
  Reduced reduced;
  reduced.r = augmented.topRows(p).triangularView<Eigen::Upper>();
  reduced.c = right.head(p);
  reduced.rest = right.tail(n).squaredNorm();
  reduced.observations = static_cast<double>(n);
  reduced.precision = precision;
  return reduced;
}

std::optional<Reduced> ReadReduced(ParameterReader& reader) {
  CheckRegressionData(reader);
  const Eigen::MatrixXd& x = reader.Matrix("x");
  reader.CheckDimension("x", static_cast<double>(x.cols()) + 1);
  const double precision = reader.Scale("prior_precision");
  const double shape = reader.Number("noise_shape", 1e-6, 1e6);
  const double rate = reader.Scale("noise_rate");
  if (!reader.ok()) return std::nullopt;
  Reduced reduced = Reduce(x, reader.Vector("y"), precision);
  reduced.shape = shape;
  reduced.rate = rate;
  return reduced;
}

double LogEvidence(const Reduced& m) {
  const double p = static_cast<double>(m.c.size());
  const double shape = m.shape + 0.5 * m.observations;
  return -0.5 * m.observations * kLog2Pi + 0.5 * p * std::log(m.precision) -
         m.r.diagonal().array().abs().log().sum() + m.shape * std::log(m.rate) - LogGamma(m.shape) +
         LogGamma(shape) - shape * std::log(m.rate + 0.5 * m.rest);
}

std::vector<std::string> Names(Eigen::Index features) {
  std::vector<std::string> names = NumberedNames("beta", static_cast<int>(features));
  names.push_back("log_sigma");
  return names;
}

class LinearRegression final : public BuiltinTarget {
 public:
  explicit LinearRegression(Reduced model)
      : BuiltinTarget(static_cast<int>(model.c.size()) + 1, Names(model.c.size())),
        model_(std::move(model)) {
    const double p = static_cast<double>(model_.c.size());
    log_constant_ = -0.5 * (model_.observations + p) * kLog2Pi +
                    0.5 * p * std::log(model_.precision) + model_.shape * std::log(model_.rate) -
                    LogGamma(model_.shape) + std::log(2.0);
    slope_ = model_.observations + p + 2 * model_.shape;
  }

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    const Eigen::Index p = model_.c.size();
    Eigen::MatrixXd residual = model_.r.triangularView<Eigen::Upper>() * z.topRows(p);
    residual.colwise() -= model_.c;
    const Eigen::ArrayXd s = z.row(p).transpose().array();
    const Eigen::ArrayXd precision = (-2 * s).exp();
    const Eigen::ArrayXd squares =
        residual.colwise().squaredNorm().transpose().array() + model_.rest;
    const Eigen::ArrayXd energy = precision * (model_.rate + 0.5 * squares);
    *log_density = log_constant_ - slope_ * s - energy;
    if (score == nullptr) return;
    score->topRows(p).noalias() = -(model_.r.transpose().triangularView<Eigen::Lower>() * residual);
    score->topRows(p).array().rowwise() *= precision.transpose();
    score->row(p) = (2 * energy - slope_).matrix().transpose();
  }

  Reduced model_;
  double log_constant_;
  double slope_;  // N + P + 2a
};

std::unique_ptr<const Target> BuildLinear(ParameterReader& reader) {
  std::optional<Reduced> model = ReadReduced(reader);
  if (!model.has_value()) return nullptr;
  return std::make_unique<LinearRegression>(*std::move(model));
}

std::optional<double> LinearLogZ(ParameterReader& reader) {
  const std::optional<Reduced> model = ReadReduced(reader);
  if (!model.has_value()) return std::nullopt;
  return LogEvidence(*model);
}

}  // namespace

BuiltinSpec LinearRegressionSpec() {
  BuiltinSpec spec;
  spec.name = "linear_regression";
  spec.doc =
      "Bayesian linear regression with unknown noise: y_i ~ N(x_i . beta, sigma^2), beta | sigma ~ "
      "N(0, sigma^2 / prior_precision I), sigma^2 ~ InverseGamma(noise_shape, noise_rate); the "
      "last "
      "coordinate is log sigma, Jacobian included. Conjugate, so log Z is exact. Source: Gelman et "
      "al., Bayesian Data Analysis, 2013, chapter 14.";
  spec.dimension_rule = "columns of x, plus 1";
  spec.parameters = {
      {"x", ParameterKind::kMatrix,
       "NxP, one row per observation, P <= 9999; no intercept is added.", ""},
      {"y", ParameterKind::kVector, "N responses.", ""},
      {"prior_precision", ParameterKind::kNumber,
       "Of every coefficient, in units of the noise precision; 1e-12 to 1e12.", "0.01"},
      {"noise_shape", ParameterKind::kNumber,
       "Shape of the inverse gamma prior of sigma^2; 1e-6 to 1e6.", "1"},
      {"noise_rate", ParameterKind::kNumber,
       "Rate of that prior, in squared units of y; 1e-12 to 1e12.", "1"},
  };
  spec.build = BuildLinear;
  spec.known_log_z = LinearLogZ;
  spec.example = {
      {"x", Eigen::MatrixXd{{1, 0.5}, {1, -1.2}, {1, 0.3}, {1, 1.4}, {1, -0.4}}},
      {"y", Eigen::VectorXd{{1.3, -0.9, 0.6, 2.4, 0.1}}},
      {"prior_precision", 0.5},
      {"noise_shape", 2.0},
      {"noise_rate", 1.5},
  };
  return spec;
}

}  // namespace aisivi
