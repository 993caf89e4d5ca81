#include "engine/targets/gaussian.h"

namespace aisivi {
namespace {

class Gaussian final : public BuiltinTarget {
 public:
  Gaussian(Eigen::VectorXd mean, Eigen::MatrixXd factor)
      : BuiltinTarget(static_cast<int>(mean.size())),
        mean_(std::move(mean)),
        factor_(std::move(factor)),
        log_constant_(-0.5 * static_cast<double>(mean_.size()) * kLog2Pi -
                      factor_.diagonal().array().log().sum()) {}

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    Eigen::MatrixXd w = z.colwise() - mean_;
    factor_.triangularView<Eigen::Lower>().solveInPlace(w);
    *log_density = (log_constant_ - 0.5 * w.colwise().squaredNorm().array()).matrix().transpose();
    if (score == nullptr) return;
    factor_.transpose().triangularView<Eigen::Upper>().solveInPlace(w);
    *score = -w;
  }

  Eigen::VectorXd mean_;    // D
  Eigen::MatrixXd factor_;  // D×D, L
  double log_constant_;
};

std::unique_ptr<const Target> BuildGaussian(ParameterReader& reader) {
  const Eigen::VectorXd& mean = reader.Vector("mean");
  reader.CheckDimension("mean", static_cast<double>(mean.size()));
  if (!reader.ok()) return nullptr;
  Eigen::MatrixXd factor = CholeskyFactor(reader, "covariance", "", reader.Matrix("covariance"),
                                          static_cast<int>(mean.size()));
  if (!reader.ok()) return nullptr;
  return std::make_unique<Gaussian>(mean, std::move(factor));
}

}  // namespace

BuiltinSpec GaussianSpec() {
  BuiltinSpec spec;
  spec.name = "gaussian";
  spec.doc = "z ~ N(mean, covariance). Normalised.";
  spec.dimension_rule = "length of mean";
  spec.parameters = {
      {"mean", ParameterKind::kVector, "D numbers, 1 <= D <= 10000.", ""},
      {"covariance", ParameterKind::kMatrix, "DxD, symmetric and positive definite.", ""},
  };
  spec.build = BuildGaussian;
  spec.known_log_z = [](ParameterReader&) { return 0.0; };
  spec.example = {
      {"mean", Eigen::VectorXd{{1.0, -2.0, 0.5}}},
      {"covariance", Eigen::MatrixXd{{2.0, 0.6, -0.3}, {0.6, 1.0, 0.2}, {-0.3, 0.2, 0.5}}},
  };
  return spec;
}

}  // namespace aisivi
