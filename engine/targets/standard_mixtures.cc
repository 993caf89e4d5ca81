#include "engine/targets/standard_mixtures.h"

#include <cmath>
#include <utility>

#include "engine/targets/gaussian_mixture.h"

namespace aisivi {
namespace {

// Equal weights on the columns of `means` (2×C), every component with the same standard deviation.
std::unique_ptr<const Target> EqualSpheres(const Eigen::MatrixXd& means, double sd) {
  const Eigen::Index components = means.cols();
  const Eigen::VectorXd weights =
      Eigen::VectorXd::Constant(components, 1.0 / static_cast<double>(components));
  const Eigen::MatrixXd factor = sd * Eigen::MatrixXd::Identity(2, 2);
  return MakeGaussianMixture(weights, means, std::vector<Eigen::MatrixXd>(components, factor));
}

std::unique_ptr<const Target> BuildMultimodal(ParameterReader&) {
  return EqualSpheres(Eigen::MatrixXd{{-2.0, 2.0}, {0.0, 0.0}}, 1.0);
}

std::unique_ptr<const Target> BuildXShaped(ParameterReader&) {
  // Cholesky factors of [[2, ±1.8], [±1.8, 2]].
  const double side = 1.8 / std::sqrt(2.0);
  const double rest = std::sqrt(2 - side * side);
  const Eigen::MatrixXd up{{std::sqrt(2.0), 0.0}, {side, rest}};
  const Eigen::MatrixXd down{{std::sqrt(2.0), 0.0}, {-side, rest}};
  return MakeGaussianMixture(Eigen::VectorXd::Constant(2, 0.5), Eigen::MatrixXd::Zero(2, 2),
                             {up, down});
}

std::unique_ptr<const Target> BuildEightGaussians(ParameterReader& reader) {
  const double radius = reader.Number("radius", 0, 1e6);
  const double sd = reader.Number("sd", 1e-6, 1e6);
  if (!reader.ok()) return nullptr;
  Eigen::MatrixXd means(2, 8);
  for (int c = 0; c < 8; ++c) {
    const double angle = c * std::acos(-1.0) / 4;
    means.col(c) << radius * std::cos(angle), radius * std::sin(angle);
  }
  return EqualSpheres(means, sd);
}

std::unique_ptr<const Target> BuildGaussianGrid(ParameterReader& reader) {
  const double spacing = reader.Number("spacing", 0, 1e6);
  const double sd = reader.Number("sd", 1e-6, 1e6);
  if (!reader.ok()) return nullptr;
  Eigen::MatrixXd means(2, 25);
  for (int c = 0; c < 25; ++c) {
    const int column = c % 5 - 2, row = c / 5 - 2;
    means.col(c) << spacing * column, spacing * row;
  }
  return EqualSpheres(means, sd);
}

// A mixture in the plane, normalised.
BuiltinSpec PlaneSpec(std::string name, std::string doc, std::vector<ParameterDoc> parameters,
                      std::unique_ptr<const Target> (*build)(ParameterReader&)) {
  BuiltinSpec spec;
  spec.name = std::move(name);
  spec.doc = std::move(doc);
  spec.dimension_rule = "2";
  spec.parameters = std::move(parameters);
  spec.build = build;
  spec.known_log_z = [](ParameterReader&) { return 0.0; };
  return spec;
}

ParameterDoc Sd(std::string default_value) {
  return {"sd", ParameterKind::kNumber, "Standard deviation of each; 1e-6 to 1e6.",
          std::move(default_value)};
}

}  // namespace

BuiltinSpec MultimodalSpec() {
  return PlaneSpec(
      "multimodal",
      "0.5 N((-2, 0), I) + 0.5 N((2, 0), I). Normalised. Source: Yin & Zhou, ICML 2018.", {},
      BuildMultimodal);
}

BuiltinSpec XShapedSpec() {
  return PlaneSpec("x_shaped",
                   "0.5 N(0, [[2, 1.8], [1.8, 2]]) + 0.5 N(0, [[2, -1.8], [-1.8, 2]]). Normalised. "
                   "Source: Yin & Zhou, ICML 2018.",
                   {}, BuildXShaped);
}

BuiltinSpec EightGaussiansSpec() {
  return PlaneSpec("eight_gaussians",
                   "Eight Gaussians of equal weight, evenly spaced on a circle. Normalised. A "
                   "customary test of mode coverage.",
                   {{"radius", ParameterKind::kNumber, "Of the circle; 0 to 1e6.", "4"}, Sd("0.5")},
                   BuildEightGaussians);
}

BuiltinSpec GaussianGridSpec() {
  return PlaneSpec(
      "gaussian_grid",
      "25 Gaussians of equal weight on a 5x5 grid around the origin. Normalised. A customary test "
      "of mode coverage.",
      {{"spacing", ParameterKind::kNumber, "Between neighbours; 0 to 1e6.", "2.5"}, Sd("0.3")},
      BuildGaussianGrid);
}

}  // namespace aisivi
