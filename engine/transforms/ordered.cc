#include "engine/transforms/ordered.h"

#include <cmath>

#include "absl/strings/str_format.h"

namespace aisivi {
namespace {

class Ordered final : public Transform {
 public:
  Ordered(int64_t size, bool positive) : size_(size), positive_(positive) {}

  int64_t coordinates() const override { return size_; }
  int64_t elements() const override { return size_; }

  double Constrain(const double* y, double* x) const override {
    double sum = 0, log_jacobian = 0;
    for (int64_t k = 0; k < size_; ++k) {
      sum += IsStep(k) ? std::exp(y[k]) : y[k];
      if (IsStep(k)) log_jacobian += y[k];
      x[k] = sum;
    }
    return log_jacobian;
  }

  void PullBack(const double* y, const double*, const double* grad_x,
                double* grad_y) const override {
    double sum = 0;
    for (int64_t k = size_ - 1; k >= 0; --k) {
      sum += grad_x[k];
      grad_y[k] = IsStep(k) ? sum * std::exp(y[k]) + 1 : sum;
    }
  }

  absl::Status Unconstrain(const double* x, double* y) const override {
    for (int64_t k = 0; k < size_; ++k) {
      const double before = k == 0 ? 0 : x[k - 1];
      y[k] = IsStep(k) ? std::log(x[k] - before) : x[k];
      if (std::isfinite(y[k]) && (!IsStep(k) || x[k] > before)) continue;
      return absl::InvalidArgumentError(
          k == 0
              ? absl::StrFormat("element 1 is %g, not %s", x[0], positive_ ? "positive" : "finite")
              : absl::StrFormat("element %d is %g, not above the one before, %g", k + 1, x[k],
                                before));
    }
    return absl::OkStatus();
  }

 private:
  // Whether y_k is the logarithm of a step up.
  bool IsStep(int64_t k) const { return positive_ || k > 0; }

  const int64_t size_;
  const bool positive_;
};

}  // namespace

std::unique_ptr<const Transform> MakeOrdered(const Constraint&, const std::vector<int64_t>& block) {
  return std::make_unique<Ordered>(block[0], false);
}

std::unique_ptr<const Transform> MakePositiveOrdered(const Constraint&,
                                                     const std::vector<int64_t>& block) {
  return std::make_unique<Ordered>(block[0], true);
}

}  // namespace aisivi
