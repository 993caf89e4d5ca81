#include "engine/targets/eight_schools.h"

#include <cmath>

namespace aisivi {
namespace {

constexpr int kSchools = 8;
// Estimated coaching effects and their standard errors, in points (Rubin 1981, table 1).
constexpr double kEffect[kSchools] = {28, 8, -3, 7, -1, 1, 18, 12};
constexpr double kError[kSchools] = {15, 10, 16, 11, 9, 11, 10, 18};
constexpr double kPriorVariance = 25;  // of μ; also the squared scale of τ

class EightSchools final : public BuiltinTarget {
 public:
  EightSchools()
      : BuiltinTarget(
            {RealParameter("mu"), PositiveParameter("tau"), RealParameter("eta", {kSchools})}) {
    // N(μ; 0, 25), the half-Cauchy 2/(5π (1 + τ²/25)), eight N(η; 0, 1) and the likelihood.
    log_constant_ = -0.5 * (2 * kSchools + 1) * kLog2Pi - std::log(kPriorVariance) +
                    std::log(2 / std::acos(-1.0));
    for (double error : kError) log_constant_ -= std::log(error);
  }

  // The effects θ_j = μ + τ η_j after the parameters.
  std::vector<Variable> Variables() const override {
    std::vector<Variable> variables = BuiltinTarget::Variables();
    variables.push_back({"theta", {kSchools}, {}, true});
    return variables;
  }

  absl::Status Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t seed, int64_t first,
                         Eigen::MatrixXd* values) const override {
    Eigen::MatrixXd x;
    if (absl::Status s = BuiltinTarget::Constrain(z, seed, first, &x); !s.ok()) return s;
    values->resize(x.rows() + kSchools, x.cols());
    values->topRows(x.rows()) = x;
    const auto mu = x.row(0).array(), tau = x.row(1).array();
    for (int j = 0; j < kSchools; ++j) {
      values->row(x.rows() + j) = mu + tau * x.row(2 + j).array();
    }
    return absl::OkStatus();
  }

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    for (Eigen::Index n = 0; n < z.cols(); ++n) {
      (*log_density)(n) = EvaluateOne(z.col(n).data(), score ? score->col(n).data() : nullptr);
    }
  }

  double EvaluateOne(const double* z, double* score) const {
    const double mu = z[0], log_tau = z[1], tau = std::exp(log_tau);
    double sum = log_constant_ - 0.5 * mu * mu / kPriorVariance + log_tau -
                 std::log1p(tau * tau / kPriorVariance);
    double sum_r = 0, sum_r_eta = 0;
    for (int j = 0; j < kSchools; ++j) {
      const double eta = z[2 + j];
      const double residual = kEffect[j] - mu - tau * eta;
      const double r = residual / (kError[j] * kError[j]);
      sum -= 0.5 * (residual * r + eta * eta);
      sum_r += r;
      sum_r_eta += r * eta;
      if (score != nullptr) score[2 + j] = tau * r - eta;
    }
    if (score != nullptr) {
      score[0] = sum_r - mu / kPriorVariance;
      score[1] = tau * sum_r_eta + 1 - 2 / (1 + kPriorVariance / (tau * tau));
    }
    return sum;
  }

  double log_constant_;
};

}  // namespace

BuiltinSpec EightSchoolsSpec() {
  BuiltinSpec spec;
  spec.name = "eight_schools";
  spec.doc =
      "Eight schools, non-centred: y_j ~ N(mu + tau eta_j, s_j^2), eta_j ~ N(0, 1), mu ~ N(0, "
      "5^2), "
      "tau ~ half-Cauchy(5); z = (mu, log tau, eta), Jacobian and all constants included; theta_j "
      "= mu + tau eta_j is derived. Data: "
      "Rubin 1981; priors: posteriordb eight_schools_noncentered.";
  spec.dimension_rule = "10";
  spec.build = [](ParameterReader&) { return std::make_unique<EightSchools>(); };
  return spec;
}

}  // namespace aisivi
