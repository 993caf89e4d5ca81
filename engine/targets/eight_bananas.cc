#include "engine/targets/eight_bananas.h"

#include <cmath>
#include <limits>

#include "engine/targets/banana.h"

namespace aisivi {
namespace {

constexpr int kBananas = 8;

class EightBananas final : public BuiltinTarget {
 public:
  explicit EightBananas(double radius) : BuiltinTarget(2), radius_(radius) {
    for (int k = 0; k < kBananas; ++k) {
      const double angle = k * std::acos(-1.0) / 4;
      outward_.col(k) << std::cos(angle), std::sin(angle);
      along_.col(k) << -std::sin(angle), std::cos(angle);
      log_weights_(k) = std::log((k + 1) / 36.0);
    }
  }

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    for (Eigen::Index n = 0; n < z.cols(); ++n) {
      Eigen::Array<double, kBananas, 1> terms;
      Eigen::Matrix<double, 2, kBananas> scores;
      for (int k = 0; k < kBananas; ++k) {
        const BananaPoint point =
            BananaAt(along_.col(k).dot(z.col(n)), radius_ - outward_.col(k).dot(z.col(n)));
        terms(k) = log_weights_(k) + point.log_density;
        scores.col(k) = point.score(0) * along_.col(k) - point.score(1) * outward_.col(k);
      }
      // The floor keeps -inf − -inf out of points so far away that every square overflows.
      const double peak = std::fmax(terms.maxCoeff(), std::numeric_limits<double>::lowest());
      terms = (terms - peak).exp();
      (*log_density)(n) = peak + std::log(terms.sum());
      if (score == nullptr) continue;
      const Eigen::Vector2d mean = scores * (terms / terms.sum()).matrix();
      (*score)(0, n) = mean(0);
      (*score)(1, n) = mean(1);
    }
  }

  double radius_;
  Eigen::Matrix<double, 2, kBananas> outward_;     // n_k
  Eigen::Matrix<double, 2, kBananas> along_;       // t_k
  Eigen::Array<double, kBananas, 1> log_weights_;  // log w_k
};

}  // namespace

BuiltinSpec EightBananasSpec() {
  BuiltinSpec spec;
  spec.name = "eight_bananas";
  spec.doc =
      "Eight bananas around a circle, opening outwards, with weights 1/36, 2/36, ... 8/36 "
      "counterclockwise from (radius, 0). Normalised. A test of modes that are not Gaussian.";
  spec.dimension_rule = "2";
  spec.parameters = {
      {"radius", ParameterKind::kNumber, "Of the circle; 0 to 1e6.", "10"},
  };
  spec.build = [](ParameterReader& reader) -> std::unique_ptr<const Target> {
    const double radius = reader.Number("radius", 0, 1e6);
    if (!reader.ok()) return nullptr;
    return std::make_unique<EightBananas>(radius);
  };
  spec.known_log_z = [](ParameterReader&) { return 0.0; };
  return spec;
}

}  // namespace aisivi
