#include "engine/targets/linear_regression.h"

#include <Eigen/QR>
#include <cmath>
#include <mutex>

#include "engine/targets/generalized_linear.h"

namespace aisivi {
namespace {

// Multiply-adds of a factorisation that is worth its result: about ten seconds of one core, and
// more than any request below 64 MB asks for (N P min(N, P) ≤ 8.4e6 · 2900).
constexpr double kMostWork = 2.5e10;

// Data and prior.
struct LinearModel {
  Eigen::MatrixXd x;                          // N×P
  Eigen::VectorXd y;                          // N
  double precision = 1, shape = 1, rate = 1;  // α, a, b

  double observations() const { return static_cast<double>(x.rows()); }
  double features() const { return static_cast<double>(x.cols()); }
  // Whether a factorisation on the smaller side of x is worth its time.
  bool Factorizable() const {
    return static_cast<double>(x.size()) * std::fmin(observations(), features()) <= kMostWork;
  }
};

// Qᵀ right and R of the QR factorisation of [m; √α I], m: R×C.
struct StackedQr {
  Eigen::MatrixXd r;      // C×C upper triangular
  Eigen::VectorXd right;  // R + C
};

// `right`: R numbers, beside which the rows of √α I have zeros.
StackedQr FactorStacked(const Eigen::Ref<const Eigen::MatrixXd>& m, const Eigen::VectorXd& right,
                        double precision) {
  Eigen::MatrixXd stacked(m.rows() + m.cols(), m.cols());
  stacked.topRows(m.rows()) = m;
  stacked.bottomRows(m.cols()).setZero();
  stacked.bottomRows(m.cols()).diagonal().setConstant(std::sqrt(precision));
  StackedQr result{{}, Eigen::VectorXd::Zero(stacked.rows())};
  result.right.head(right.size()) = right;
  const Eigen::HouseholderQR<Eigen::Ref<Eigen::MatrixXd>> qr(stacked);
  result.right.applyOnTheLeft(qr.householderQ().adjoint());
  result.r = stacked.topRows(m.cols()).triangularView<Eigen::Upper>();
  return result;
}

// The bracket ‖y − Xβ‖² + α‖β‖² as q₀ + ‖Rβ − c‖².
struct Reduced {
  Eigen::MatrixXd r;  // P×P upper triangular
  Eigen::VectorXd c;  // P
  double rest = 0;    // q₀
};

Reduced Reduce(const LinearModel& m) {
  StackedQr qr = FactorStacked(m.x, m.y, m.precision);
  const double rest = qr.right.tail(m.x.rows()).squaredNorm();
  return {std::move(qr.r), qr.right.head(m.x.cols()), rest};
}

// What the evidence needs of the data.
struct Marginal {
  double half_log_det = 0;  // ½ log det(αI + XᵀX)
  double rest = 0;          // q₀
};

Marginal Marginalize(const LinearModel& m) {
  if (m.x.cols() <= m.x.rows()) {
    const StackedQr qr = FactorStacked(m.x, m.y, m.precision);
    return {qr.r.diagonal().array().abs().log().sum(), qr.right.tail(m.x.rows()).squaredNorm()};
  }
  const StackedQr qr = FactorStacked(m.x.transpose(), Eigen::VectorXd(), m.precision);
  const Eigen::VectorXd w = qr.r.transpose().triangularView<Eigen::Lower>().solve(m.y);
  return {0.5 * (m.features() - m.observations()) * std::log(m.precision) +
              qr.r.diagonal().array().abs().log().sum(),
          m.precision * w.squaredNorm()};
}

std::optional<LinearModel> ReadLinearModel(ParameterReader& reader) {
  CheckRegressionData(reader);
  LinearModel m;
  reader.CheckDimension("x", static_cast<double>(reader.Matrix("x").cols()) + 1);
  m.precision = reader.Scale("prior_precision");
  m.shape = reader.Number("noise_shape", 1e-6, 1e6);
  m.rate = reader.Scale("noise_rate");
  if (!reader.ok()) return std::nullopt;
  m.x = reader.Matrix("x");
  m.y = reader.Vector("y");
  return m;
}

double LogEvidence(const LinearModel& m) {
  const Marginal marginal = Marginalize(m);
  const double shape = m.shape + 0.5 * m.observations();
  return -0.5 * m.observations() * kLog2Pi + 0.5 * m.features() * std::log(m.precision) -
         marginal.half_log_det + m.shape * std::log(m.rate) - LogGamma(m.shape) + LogGamma(shape) -
         shape * std::log(m.rate + 0.5 * marginal.rest);
}

// Costs no more to make than a copy of the data: what is factorised is factorised when the first
// point is evaluated, by whichever thread comes first.
class LinearRegression final : public BuiltinTarget {
 public:
  explicit LinearRegression(LinearModel model)
      : BuiltinTarget({RealParameter("beta", {model.x.cols()}), PositiveParameter("sigma")}),
        model_(std::move(model)),
        reducible_(model_.x.rows() > model_.x.cols() && model_.Factorizable()),
        slope_(model_.observations() + model_.features() + 2 * model_.shape) {
    log_constant_ = -0.5 * (model_.observations() + model_.features()) * kLog2Pi +
                    0.5 * model_.features() * std::log(model_.precision) +
                    model_.shape * std::log(model_.rate) - LogGamma(model_.shape) + std::log(2.0);
  }

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    const Eigen::Index p = model_.x.cols();
    Eigen::MatrixXd gradient;
    if (score != nullptr) gradient.resize(p, z.cols());
    HalfSquares(z.topRows(p), log_density, score == nullptr ? nullptr : &gradient);
    const Eigen::ArrayXd s = z.row(p).transpose().array();
    const Eigen::ArrayXd precision = (-2 * s).exp();
    const Eigen::ArrayXd energy = precision * (model_.rate - log_density->array());
    *log_density = log_constant_ - slope_ * s - energy;
    if (score == nullptr) return;
    score->topRows(p) = gradient.array().rowwise() * precision.transpose();
    score->row(p) = (2 * energy - slope_).matrix().transpose();
  }

  // −½ [‖y − Xβ‖² + α‖β‖²] for every column of `beta`, and its gradient unless null.
  void HalfSquares(const Eigen::Ref<const Eigen::MatrixXd>& beta, Eigen::VectorXd* value,
                   Eigen::MatrixXd* gradient) const {
    if (!reducible_) {
      *value = -0.5 * model_.precision * beta.colwise().squaredNorm().transpose();
      if (gradient != nullptr) *gradient = -model_.precision * beta;
      const auto tile = [this](Eigen::Index first, Eigen::Ref<Eigen::MatrixXd> eta,
                               Eigen::Ref<Eigen::VectorXd> sum, bool) {
        eta = model_.y.segment(first, eta.rows()).replicate(1, eta.cols()) - eta;
        sum -= 0.5 * eta.colwise().squaredNorm().transpose();
      };
      AddLinearLikelihood(model_.x, beta, tile, value, gradient);
      return;
    }
    std::call_once(reduced_once_, [this] { reduced_ = Reduce(model_); });
    Eigen::MatrixXd residual = reduced_.r.triangularView<Eigen::Upper>() * beta;
    residual.colwise() -= reduced_.c;
    *value = -0.5 * (residual.colwise().squaredNorm().transpose().array() + reduced_.rest);
    if (gradient == nullptr) return;
    gradient->noalias() = -(reduced_.r.transpose().triangularView<Eigen::Lower>() * residual);
  }

  const LinearModel model_;
  const bool reducible_;  // a point costs P² instead of N P
  const double slope_;    // N + P + 2a
  double log_constant_;
  mutable std::once_flag reduced_once_;
  mutable Reduced reduced_;
};

std::unique_ptr<const Target> BuildLinear(ParameterReader& reader) {
  std::optional<LinearModel> model = ReadLinearModel(reader);
  if (!model.has_value()) return nullptr;
  return std::make_unique<LinearRegression>(*std::move(model));
}

std::optional<double> LinearLogZ(ParameterReader& reader) {
  const std::optional<LinearModel> model = ReadLinearModel(reader);
  if (!model.has_value() || !model->Factorizable()) return std::nullopt;
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
      "coordinate is log sigma, Jacobian included. Conjugate, so log Z is exact (known where N P "
      "min(N, P) <= 2.5e10). Source: Gelman et "
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
  spec.name_columns = [](const Target& target, const std::vector<std::string>& columns) {
    return LabelVariable(target, "beta", columns);
  };
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
