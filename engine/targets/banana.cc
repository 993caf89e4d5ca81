#include "engine/targets/banana.h"

#include <cmath>

namespace aisivi {
namespace {

constexpr double kCorrelation = 0.9;
constexpr double kDeterminant = 1 - kCorrelation * kCorrelation;

class Banana final : public BuiltinTarget {
 public:
  Banana() : BuiltinTarget(2) {}

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    for (Eigen::Index n = 0; n < z.cols(); ++n) {
      const BananaPoint point = BananaAt(z(0, n), z(1, n));
      (*log_density)(n) = point.log_density;
      if (score == nullptr) continue;
      (*score)(0, n) = point.score(0);
      (*score)(1, n) = point.score(1);
    }
  }
};

}  // namespace

BananaPoint BananaAt(double z1, double z2) {
  static const double kLogConstant = -kLog2Pi - 0.5 * std::log(kDeterminant);
  const double b = z1 * z1 + z2 + 1;
  const double grad_a = (kCorrelation * b - z1) / kDeterminant;
  const double grad_b = (kCorrelation * z1 - b) / kDeterminant;
  return {kLogConstant + 0.5 * (z1 * grad_a + b * grad_b), {grad_a + 2 * z1 * grad_b, grad_b}};
}

BuiltinSpec BananaSpec() {
  BuiltinSpec spec;
  spec.name = "banana";
  spec.doc =
      "A bent Gaussian: (z1, z1^2 + z2 + 1) ~ N(0, [[1, 0.9], [0.9, 1]]). Normalised. Source: Yin "
      "& "
      "Zhou, ICML 2018.";
  spec.dimension_rule = "2";
  spec.build = [](ParameterReader&) { return std::make_unique<Banana>(); };
  spec.known_log_z = [](ParameterReader&) { return 0.0; };
  return spec;
}

}  // namespace aisivi
