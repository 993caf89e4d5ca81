#include "engine/targets/funnel.h"

#include <cmath>

namespace aisivi {
namespace {

constexpr double kVariance = 9;  // of v

class Funnel final : public BuiltinTarget {
 public:
  explicit Funnel(int dim) : BuiltinTarget({RealParameter("v"), RealParameter("x", {dim - 1})}) {}

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    const double count = dim() - 1;
    const double log_constant = -0.5 * dim() * kLog2Pi - 0.5 * std::log(kVariance);
    for (Eigen::Index n = 0; n < z.cols(); ++n) {
      const double v = z(0, n);
      const double precision = std::exp(-v);
      const double half_square = 0.5 * precision * z.col(n).tail(dim() - 1).squaredNorm();
      (*log_density)(n) = log_constant - 0.5 * v * v / kVariance - 0.5 * count * v - half_square;
      if (score == nullptr) continue;
      (*score)(0, n) = -v / kVariance - 0.5 * count + half_square;
      score->col(n).tail(dim() - 1) = -precision * z.col(n).tail(dim() - 1);
    }
  }
};

std::unique_ptr<const Target> BuildFunnel(ParameterReader& reader) {
  const int dim = reader.Integer("dimension", 2, kMaxDimension);
  if (!reader.ok()) return nullptr;
  return std::make_unique<Funnel>(dim);
}

}  // namespace

BuiltinSpec FunnelSpec() {
  BuiltinSpec spec;
  spec.name = "funnel";
  spec.doc =
      "v ~ N(0, 9); x_i | v ~ N(0, exp(v)), i = 1 .. dimension - 1; z = (v, x). Normalised. "
      "Source: "
      "Neal, Slice sampling, Annals of Statistics 2003.";
  spec.dimension_rule = "dimension";
  spec.parameters = {
      {"dimension", ParameterKind::kInteger, "Coordinates in all, v among them; 2 to 10000.", "10"},
  };
  spec.build = BuildFunnel;
  spec.known_log_z = [](ParameterReader&) { return 0.0; };
  spec.example = {{"dimension", 4.0}};
  return spec;
}

}  // namespace aisivi
