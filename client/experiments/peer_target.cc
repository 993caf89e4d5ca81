#include "client/experiments/peer_target.h"

#include <Eigen/Core>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/experiments/csv.h"

namespace aisivi::experiments {
namespace {

// In these programs nothing depends on how arrays are declared, which Stan has changed. `target +=`
// keeps the constants that `~` leaves out.
constexpr char kLogistic[] = R"(data {
  int<lower=1> N;
  int<lower=1> D;
  matrix[N, D] x;
  vector[N] y;
  real<lower=0> prior_sd;
}
parameters {
  vector[D] z;
}
model {
  vector[N] eta = x * z;
  target += normal_lpdf(z | 0, prior_sd);
  target += dot_product(y, eta) - sum(log1p_exp(eta));
}
)";

// Non-centred, as the service's eight_schools. log 2: the half of the Cauchy that is positive.
constexpr char kEightSchools[] = R"(data {
  vector[8] y;
  vector[8] s;
}
parameters {
  real mu;
  real<lower=0> tau;
  vector[8] eta;
}
model {
  target += normal_lpdf(mu | 0, 5) + cauchy_lpdf(tau | 0, 5) + log(2.0);
  target += normal_lpdf(eta | 0, 1) + normal_lpdf(y | mu + tau * eta, s);
}
)";

constexpr char kFunnel[] = R"(parameters {
  real v;
  vector[9] x;
}
model {
  target += normal_lpdf(v | 0, 3) + normal_lpdf(x | 0, exp(0.5 * v));
}
)";

// "c(1,2,3)", column after column.
std::string RVector(const Eigen::Ref<const Eigen::MatrixXd>& values) {
  std::string text = "c(";
  for (Eigen::Index j = 0; j < values.cols(); ++j) {
    for (Eigen::Index i = 0; i < values.rows(); ++i) {
      absl::StrAppend(&text, i + j == 0 ? "" : ",", CsvNumber(values(i, j)));
    }
  }
  return text + ")";
}

std::string RegressionData(const RegressionInput& input) {
  const Eigen::MatrixXd& x = input.data.x;
  return absl::StrCat("list(N = ", x.rows(), "L, D = ", x.cols(),
                      "L, prior_sd = ", CsvNumber(1 / std::sqrt(input.data.prior_precision)),
                      ", y = ", RVector(input.data.y), ",\n  x = matrix(", RVector(x),
                      ", nrow = ", x.rows(), "L))");
}

// Rubin, Journal of Educational Statistics 1981, table 1.
constexpr char kSchools[] =
    "list(y = c(28, 8, -3, 7, -1, 1, 18, 12), s = c(15, 10, 16, 11, 9, 11, 10, 18))";

}  // namespace

std::vector<PeerTarget> PeerTargets(const RegressionInput& regression) {
  return {{"logistic_regression", regression.spec, kLogistic, RegressionData(regression)},
          {"eight_schools", {}, kEightSchools, kSchools},
          {"funnel", {}, kFunnel, "list()"}};
}

}  // namespace aisivi::experiments
