#include "engine/transforms/sum_to_zero.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

namespace aisivi {
namespace {

class SumToZero final : public Transform {
 public:
  explicit SumToZero(int64_t size) : size_(size) {}

  int64_t coordinates() const override { return size_ - 1; }
  int64_t elements() const override { return size_; }

  double Constrain(const double* y, double* x) const override {
    double sum = 0;  // Σ_{n>k} w_n
    for (int64_t k = size_ - 1; k > 0; --k) {
      const double w = y[k - 1] * Scale(k);
      x[k] = sum - static_cast<double>(k) * w;
      sum += w;
    }
    x[0] = sum;
    return 0;
  }

  void PullBack(const double*, const double*, const double* grad_x, double* grad_y) const override {
    Project(grad_x, grad_y);
  }

  absl::Status Unconstrain(const double* x, double* y) const override {
    double sum = 0, largest = 1;
    for (int64_t k = 0; k < size_; ++k) {
      sum += x[k];
      largest = std::max(largest, std::fabs(x[k]));
    }
    if (!(std::fabs(sum) <= kConstraintTolerance * largest)) {
      return absl::InvalidArgumentError(absl::StrFormat("the sum is %.12g, not 0", sum));
    }
    Project(x, y);
    return absl::OkStatus();
  }

 private:
  static double Scale(int64_t n) {
    return 1 / std::sqrt(static_cast<double>(n) * static_cast<double>(n + 1));
  }

  // The map's transpose, which is its inverse on the plane.
  void Project(const double* v, double* y) const {
    double sum = 0;
    for (int64_t n = 1; n < size_; ++n) {
      sum += v[n - 1];
      y[n - 1] = (sum - static_cast<double>(n) * v[n]) * Scale(n);
    }
  }

  const int64_t size_;
};

}  // namespace

std::unique_ptr<const Transform> MakeSumToZero(const Constraint&,
                                               const std::vector<int64_t>& block) {
  return std::make_unique<SumToZero>(block[0]);
}

}  // namespace aisivi
