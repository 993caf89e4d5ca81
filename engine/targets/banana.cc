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
    const double log_constant = -kLog2Pi - 0.5 * std::log(kDeterminant);
    for (Eigen::Index n = 0; n < z.cols(); ++n) {
      const double a = z(0, n);
      const double b = a * a + z(1, n) + 1;
      const double grad_a = (kCorrelation * b - a) / kDeterminant;
      const double grad_b = (kCorrelation * a - b) / kDeterminant;
      (*log_density)(n) = log_constant + 0.5 * (a * grad_a + b * grad_b);
      if (score == nullptr) continue;
      (*score)(0, n) = grad_a + 2 * a * grad_b;
      (*score)(1, n) = grad_b;
    }
  }
};

}  // namespace

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
