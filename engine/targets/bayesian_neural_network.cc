#include "engine/targets/bayesian_neural_network.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace aisivi {
namespace {

constexpr Eigen::Index kTile = 256;  // observations handled at once

// In the order of z.
std::vector<Parameter> Parameters(int64_t features, int64_t hidden) {
  return {RealParameter("w", {hidden, features}), RealParameter("b", {hidden}),
          RealParameter("v", {hidden}), RealParameter("c"), PositiveParameter("sigma")};
}

class BayesianNeuralNetwork final : public BuiltinTarget {
 public:
  BayesianNeuralNetwork(const Eigen::MatrixXd& x, const Eigen::VectorXd& y, int hidden,
                        double precision)
      : BuiltinTarget(Parameters(x.cols(), hidden)),
        inputs_(x.transpose()),
        y_(y),
        hidden_(hidden),
        precision_(precision) {
    const double weights = dim() - 1;
    const double observations = static_cast<double>(y.size());
    log_constant_ = 0.5 * weights * std::log(precision) - 0.5 * (dim() + observations) * kLog2Pi;
  }

 private:
  // Work space of one call, shared by its points.
  struct Scratch {
    Eigen::MatrixXd activation;   // H×tile
    Eigen::MatrixXd backward;     // H×tile
    Eigen::RowVectorXd residual;  // tile
  };

  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    const Eigen::Index tile = std::min(kTile, y_.size());
    Scratch scratch{Eigen::MatrixXd(hidden_, tile), Eigen::MatrixXd(hidden_, tile),
                    Eigen::RowVectorXd(tile)};
    for (Eigen::Index n = 0; n < z.cols(); ++n) {
      double* gradient = score == nullptr ? nullptr : score->col(n).data();
      (*log_density)(n) = EvaluateOne(z.col(n).data(), gradient, &scratch);
    }
  }

  double EvaluateOne(const double* z, double* gradient, Scratch* scratch) const {
    const int weights = dim() - 1;
    const double log_sigma = z[weights];
    const double noise_precision = std::exp(-2 * log_sigma);
    const Eigen::Map<const Eigen::VectorXd> point(z, weights);
    if (gradient != nullptr) Eigen::Map<Eigen::VectorXd>(gradient, weights).setZero();
    double squares = 0;
    for (Eigen::Index first = 0; first < y_.size(); first += kTile) {
      squares += AddTile(z, first, gradient, scratch);
    }
    const double observations = static_cast<double>(y_.size());
    if (gradient != nullptr) {
      // The tiles have summed Σ r_i ∂f/∂z; the noise and the prior join here.
      Eigen::Map<Eigen::VectorXd> g(gradient, weights);
      g = noise_precision * g - precision_ * point;
      gradient[weights] = noise_precision * squares - observations - log_sigma;
    }
    return log_constant_ - 0.5 * noise_precision * squares - observations * log_sigma -
           0.5 * precision_ * point.squaredNorm() - 0.5 * log_sigma * log_sigma;
  }

  // Returns Σ r_i² of the tile, r = y − f(x); adds Σ r_i ∂f/∂(w, b, v, c) to `gradient` unless
  // null.
  double AddTile(const double* z, Eigen::Index first, double* gradient, Scratch* scratch) const {
    const Eigen::Index features = inputs_.rows(), h = hidden_, hp = h * features;
    const Eigen::Index count = std::min(kTile, y_.size() - first);
    const Eigen::Map<const Eigen::MatrixXd> w(z, h, features);
    const Eigen::Map<const Eigen::VectorXd> b(z + hp, h);
    const Eigen::Map<const Eigen::VectorXd> v(z + hp + h, h);
    const double scale = 1 / std::sqrt(static_cast<double>(h));
    Eigen::Ref<Eigen::MatrixXd> activation = scratch->activation.leftCols(count);
    Eigen::Ref<Eigen::RowVectorXd> residual = scratch->residual.head(count);
    activation.noalias() = w * inputs_.middleCols(first, count);
    activation.colwise() += b;
    // tanh through exp, which Eigen vectorises; it saturates where exp overflows.
    activation = 1 - 2 / (1 + (2 * activation.array()).exp());
    residual = y_.segment(first, count).transpose() - scale * (v.transpose() * activation);
    residual.array() -= z[hp + 2 * h];
    if (gradient != nullptr) {
      Eigen::Ref<Eigen::MatrixXd> backward = scratch->backward.leftCols(count);
      backward = 1 - activation.array().square();
      backward.array().colwise() *= scale * v.array();
      backward.array().rowwise() *= residual.array();
      Eigen::Map<Eigen::MatrixXd>(gradient, h, features).noalias() +=
          backward * inputs_.middleCols(first, count).transpose();
      Eigen::Map<Eigen::VectorXd>(gradient + hp, h) += backward.rowwise().sum();
      Eigen::Map<Eigen::VectorXd>(gradient + hp + h, h) +=
          scale * (activation * residual.transpose());
      gradient[hp + 2 * h] += residual.sum();
    }
    return residual.squaredNorm();
  }

  Eigen::MatrixXd inputs_;  // P×N
  Eigen::VectorXd y_;       // N
  int hidden_;              // H
  double precision_;        // α
  double log_constant_;
};

std::unique_ptr<const Target> BuildNetwork(ParameterReader& reader) {
  CheckRegressionData(reader);
  const int hidden = reader.Integer("hidden", 1, kMaxDimension);
  const double precision = reader.Scale("prior_precision");
  const double features = static_cast<double>(reader.Matrix("x").cols());
  reader.CheckDimension("hidden", hidden * (features + 2) + 2);
  if (!reader.ok()) return nullptr;
  return std::make_unique<BayesianNeuralNetwork>(reader.Matrix("x"), reader.Vector("y"), hidden,
                                                 precision);
}

}  // namespace

BuiltinSpec BayesianNeuralNetworkSpec() {
  BuiltinSpec spec;
  spec.name = "bayesian_neural_network";
  spec.doc =
      "Regression by a network with one hidden layer: y_i ~ N(f(x_i), sigma^2), f(x) = c + "
      "hidden^(-1/2) sum_h v_h tanh(b_h + w_h . x); all weights and biases ~ N(0, 1 / "
      "prior_precision), log sigma ~ N(0, 1). All constants included. Standardise x and y. Source: "
      "Neal, Bayesian Learning for Neural Networks, 1996.";
  spec.dimension_rule = "hidden * (columns of x + 2) + 2, at most 10000";
  spec.parameters = {
      {"x", ParameterKind::kMatrix, "NxP, one row per observation.", ""},
      {"y", ParameterKind::kVector, "N responses.", ""},
      {"hidden", ParameterKind::kInteger, "Hidden units, at least 1.", "10"},
      {"prior_precision", ParameterKind::kNumber, "Of every weight and bias; 1e-12 to 1e12.", "1"},
  };
  spec.build = BuildNetwork;
  spec.name_columns = [](const Target& target, const std::vector<std::string>& columns) {
    std::vector<Variable> variables = target.Variables();
    Variable& w = variables.front();
    for (const std::string& column : columns) {
      for (int64_t h = 1; h <= w.shape[0]; ++h) w.labels.push_back(absl::StrCat(h, ",", column));
    }
    return variables;
  };
  spec.example = {
      {"x", Eigen::MatrixXd{{-1.5, 0.2}, {-0.5, 1.0}, {0.0, -0.7}, {0.6, 0.4}, {1.4, -0.9}}},
      {"y", Eigen::VectorXd{{-1.0, -0.3, 0.2, 0.7, 0.9}}},
      {"hidden", 3.0},
  };
  return spec;
}

}  // namespace aisivi
