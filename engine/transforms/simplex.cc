#include "engine/transforms/simplex.h"

#include <cmath>

#include "absl/strings/str_format.h"
#include "engine/transforms/logistic.h"

namespace aisivi {
namespace {

class Simplex final : public Transform {
 public:
  explicit Simplex(int64_t size) : size_(size) {}

  int64_t coordinates() const override { return size_ - 1; }
  int64_t elements() const override { return size_; }

  double Constrain(const double* y, double* x) const override {
    // log r besides r: it stays finite where r underflows.
    double rest = 1, log_rest = 0, log_jacobian = 0;
    for (int64_t k = 0; k + 1 < size_; ++k) {
      const double logit = Logit(y, k);
      const double log_left = LogSigmoid(-logit);
      log_jacobian += LogSigmoid(logit) + log_left + log_rest;
      x[k] = rest * Sigmoid(logit);
      rest *= Sigmoid(-logit);
      log_rest += log_left;
    }
    x[size_ - 1] = rest;
    return log_jacobian;
  }

  void PullBack(const double* y, const double* x, const double* grad_x,
                double* grad_y) const override {
    double later = grad_x[size_ - 1] * x[size_ - 1];  // Σ_{j>k} g_j x_j
    for (int64_t k = size_ - 2; k >= 0; --k) {
      const double share = Sigmoid(Logit(y, k)), left = Sigmoid(-Logit(y, k));
      // log r of the size − 2 − k sticks after this one falls with it too.
      grad_y[k] =
          left * (grad_x[k] * x[k] + 1) - share * (later + static_cast<double>(size_ - 1 - k));
      later += grad_x[k] * x[k];
    }
  }

  absl::Status Unconstrain(const double* x, double* y) const override {
    double sum = 0;  // of the elements after k, the small ones often last
    for (int64_t k = size_ - 1; k >= 0; --k) {
      if (!(x[k] > 0 && x[k] <= 1 + kConstraintTolerance)) {
        return absl::InvalidArgumentError(
            absl::StrFormat("element %d is %g, not between 0 and 1", k + 1, x[k]));
      }
      if (k + 1 < size_) y[k] = std::log(x[k]) - std::log(sum) + LogOthers(k);
      sum += x[k];
    }
    if (std::fabs(sum - 1) <= kConstraintTolerance) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrFormat("the sum is %.12g, not 1", sum));
  }

 private:
  // log(K − k) with k from 1.
  double LogOthers(int64_t k) const { return std::log(static_cast<double>(size_ - 1 - k)); }
  double Logit(const double* y, int64_t k) const { return y[k] - LogOthers(k); }

  const int64_t size_;
};

}  // namespace

std::unique_ptr<const Transform> MakeSimplex(const Constraint&, const std::vector<int64_t>& block) {
  return std::make_unique<Simplex>(block[0]);
}

}  // namespace aisivi
