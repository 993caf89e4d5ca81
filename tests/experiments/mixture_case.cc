#include "tests/experiments/mixture_case.h"

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <random>

#include "engine/targets/gaussian_mixture.h"

namespace aisivi::experiments {
namespace {

constexpr double kSmallestWeight = 0.001;
constexpr double kCompanion = 0.3;  // share of the components that lie beside an earlier one

// Random numbers of one mixture.
class Source {
 public:
  explicit Source(uint64_t seed) : engine_(seed) {}

  int Integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  double Uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine_);
  }
  double LogUniform(double low, double high) {
    return std::exp(Uniform(std::log(low), std::log(high)));
  }
  double Gamma(double shape) { return std::gamma_distribution<double>(shape)(engine_); }
  Eigen::MatrixXd Normals(Eigen::Index rows, Eigen::Index columns) {
    std::normal_distribution<double> normal;
    return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return normal(engine_); });
  }
  Eigen::VectorXd Uniforms(Eigen::Index size, double bound) {
    return Eigen::VectorXd::NullaryExpr(size, [&] { return Uniform(-bound, bound); });
  }

 private:
  std::mt19937_64 engine_;
};

// The largest factors by which scales, and the axes about them, differ from 1.
struct Shapes {
  double scale, axis;
};
constexpr Shapes kUnequal = {1.4, 1.5}, kVeryUnequal = {3, 3};

// L of R diag(sd²) Rᵀ with R uniform among the rotations and reflections of D dimensions.
Eigen::MatrixXd RandomFactor(Eigen::Index dim, const Shapes& shapes, Source& source) {
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(source.Normals(dim, dim));
  const double scale = source.LogUniform(1 / shapes.scale, shapes.scale);
  Eigen::MatrixXd axes = qr.householderQ();
  for (Eigen::Index d = 0; d < dim; ++d) {
    axes.col(d) *= scale * source.LogUniform(1 / shapes.axis, shapes.axis);
  }
  return Eigen::LLT<Eigen::MatrixXd>(axes * axes.transpose()).matrixL();
}

Eigen::VectorXd RandomWeights(Eigen::Index components, Source& source) {
  const double concentration = source.LogUniform(0.3, 3);
  Eigen::VectorXd weights(components);
  for (double& weight : weights) weight = source.Gamma(concentration);
  const double rest = 1 - kSmallestWeight * static_cast<double>(components);
  return (kSmallestWeight + rest / weights.sum() * weights.array()).matrix();
}

MixtureCase EqualSpheres(Eigen::MatrixXd means, double sd) {
  MixtureCase mixture;
  const Eigen::Index components = means.cols(), dim = means.rows();
  mixture.weights = Eigen::VectorXd::Constant(components, 1.0 / static_cast<double>(components));
  mixture.means = std::move(means);
  mixture.factors.assign(components, sd * Eigen::MatrixXd::Identity(dim, dim));
  return mixture;
}

MixtureCase Grid(const Eigen::Vector2d& centre) {
  Eigen::MatrixXd means(2, 100);
  for (int c = 0; c < 100; ++c) {
    const int column = c % 10, row = c / 10;
    means.col(c) = centre + Eigen::Vector2d(6 * (column - 4.5), 6 * (row - 4.5));
  }
  return EqualSpheres(std::move(means), 1);
}

}  // namespace

double MixtureCase::Scale(Eigen::Index c) const {
  return std::exp(factors[c].diagonal().array().log().mean());
}

std::unique_ptr<const Target> MixtureCase::MakeTarget() const {
  return MakeGaussianMixture(weights, means, factors);
}

MixtureCase RandomMixture(std::string_view name, uint64_t seed) {
  Source source(seed);
  MixtureCase mixture{.name = std::string(name), .seed = seed};
  const Shapes& shapes = name == "very_unequal" ? kVeryUnequal : kUnequal;
  const int dim = source.Integer(2, 30), components = source.Integer(2, 60);
  mixture.weights = RandomWeights(components, source);
  for (int c = 0; c < components; ++c) mixture.factors.push_back(RandomFactor(dim, shapes, source));
  const double spread = source.LogUniform(1, 30);
  const Eigen::VectorXd centre = spread * source.Normals(dim, 1);
  mixture.means.resize(dim, components);
  for (int c = 0; c < components; ++c) {
    if (c > 0 && source.Uniform(0, 1) < kCompanion) {
      const int other = source.Integer(0, c - 1);
      mixture.means.col(c) = mixture.means.col(other) + source.Uniform(0.5, 3) *
                                                            mixture.factors[other] *
                                                            source.Normals(dim, 1);
    } else {
      mixture.means.col(c) = centre + spread * source.Normals(dim, 1);
    }
  }
  return mixture;
}

const std::vector<std::string>& FixedMixtureNames() {
  static const auto* const kNames =
      new std::vector<std::string>{"far_apart", "two_scales", "grid", "shifted_grid"};
  return *kNames;
}

MixtureCase FixedMixture(std::string_view name, uint64_t seed) {
  Source source(seed);
  MixtureCase mixture;
  if (name == "far_apart") {
    Eigen::MatrixXd means(50, 40);
    for (Eigen::Index c = 0; c < 40; ++c) means.col(c) = source.Uniforms(50, 40);
    mixture = EqualSpheres(std::move(means), 1.3);
  } else if (name == "two_scales") {
    Eigen::MatrixXd means = Eigen::MatrixXd::Zero(20, 2);
    means.col(1).setConstant(30);
    mixture = EqualSpheres(std::move(means), 1);
    mixture.factors[1] *= 2;
  } else if (name == "grid") {
    mixture = Grid(Eigen::Vector2d::Zero());
  } else {
    mixture = Grid(source.Uniforms(2, 100));
  }
  mixture.name = name;
  mixture.seed = seed;
  return mixture;
}

Eigen::VectorXd ComponentShares(const MixtureCase& mixture, const Eigen::MatrixXd& z) {
  Eigen::MatrixXd log_terms(mixture.components(), z.cols());
  for (Eigen::Index c = 0; c < mixture.components(); ++c) {
    const Eigen::MatrixXd& factor = mixture.factors[c];
    const Eigen::MatrixXd w =
        factor.triangularView<Eigen::Lower>().solve(z.colwise() - mixture.means.col(c));
    const double constant = std::log(mixture.weights[c]) - factor.diagonal().array().log().sum();
    log_terms.row(c) = constant - 0.5 * w.colwise().squaredNorm().array();
  }
  const Eigen::RowVectorXd peak = log_terms.colwise().maxCoeff();
  const Eigen::ArrayXXd terms = (log_terms.rowwise() - peak).array().exp();
  return (terms.rowwise() / terms.colwise().sum()).rowwise().mean();
}

}  // namespace aisivi::experiments
