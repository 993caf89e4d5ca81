#include "engine/transforms/scalar.h"

#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/transforms/logistic.h"

namespace aisivi {
namespace {

// Functions x(y) of one number: Slope is dx/dy > 0 or its size, LogSlope its logarithm, and
// LogSlopeSlope that one's derivative. Inverse gives NaN where there is none.

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct Identity {
  double Value(double y) const { return y; }
  double Slope(double) const { return 1; }
  double LogSlope(double) const { return 0; }
  double LogSlopeSlope(double) const { return 0; }
  double Inverse(double x) const { return x; }
  std::string Domain() const { return "finite"; }
};

struct Lower {
  double lower;
  double Value(double y) const { return lower + std::exp(y); }
  double Slope(double y) const { return std::exp(y); }
  double LogSlope(double y) const { return y; }
  double LogSlopeSlope(double) const { return 1; }
  double Inverse(double x) const { return x > lower ? std::log(x - lower) : kNone; }
  std::string Domain() const { return absl::StrCat("above ", lower); }
};

struct Upper {
  double upper;
  double Value(double y) const { return upper - std::exp(y); }
  double Slope(double y) const { return -std::exp(y); }
  double LogSlope(double y) const { return y; }
  double LogSlopeSlope(double) const { return 1; }
  double Inverse(double x) const { return x < upper ? std::log(upper - x) : kNone; }
  std::string Domain() const { return absl::StrCat("below ", upper); }
};

struct Interval {
  double lower, upper, width, log_width;
  // From the nearer end, so that what is close to either keeps its digits.
  double Value(double y) const {
    return y < 0 ? lower + width * Sigmoid(y) : upper - width * Sigmoid(-y);
  }
  double Slope(double y) const { return width * Sigmoid(y) * Sigmoid(-y); }
  double LogSlope(double y) const { return log_width + LogSigmoid(y) + LogSigmoid(-y); }
  double LogSlopeSlope(double y) const { return -std::tanh(0.5 * y); }
  double Inverse(double x) const {
    return x > lower && x < upper ? std::log(x - lower) - std::log(upper - x) : kNone;
  }
  std::string Domain() const { return absl::StrCat("between ", lower, " and ", upper); }
};

struct Affine {
  double offset, multiplier, log_multiplier;
  double Value(double y) const { return offset + multiplier * y; }
  double Slope(double) const { return multiplier; }
  double LogSlope(double) const { return log_multiplier; }
  double LogSlopeSlope(double) const { return 0; }
  double Inverse(double x) const { return (x - offset) / multiplier; }
  std::string Domain() const { return "finite"; }
};

template <typename Function>
class Elementwise final : public Transform {
 public:
  Elementwise(const Function& function, int64_t count) : function_(function), count_(count) {}

  int64_t coordinates() const override { return count_; }
  int64_t elements() const override { return count_; }

  double Constrain(const double* y, double* x) const override {
    double log_jacobian = 0;
    for (int64_t i = 0; i < count_; ++i) {
      x[i] = function_.Value(y[i]);
      log_jacobian += function_.LogSlope(y[i]);
    }
    return log_jacobian;
  }

  void PullBack(const double* y, const double*, const double* grad_x,
                double* grad_y) const override {
    for (int64_t i = 0; i < count_; ++i) {
      grad_y[i] = grad_x[i] * function_.Slope(y[i]) + function_.LogSlopeSlope(y[i]);
    }
  }

  absl::Status Unconstrain(const double* x, double* y) const override {
    for (int64_t i = 0; i < count_; ++i) {
      y[i] = function_.Inverse(x[i]);
      if (std::isfinite(y[i])) continue;
      return absl::InvalidArgumentError(
          absl::StrFormat("element %d is %g, not %s", i + 1, x[i], function_.Domain()));
    }
    return absl::OkStatus();
  }

 private:
  const Function function_;
  const int64_t count_;
};

template <typename Function>
std::unique_ptr<const Transform> MakeElementwise(const Function& function,
                                                 const std::vector<int64_t>& block) {
  return std::make_unique<Elementwise<Function>>(function, block[0]);
}

absl::Status CheckFinite(absl::string_view name, double value) {
  if (std::isfinite(value)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, ": is ", value, ", must be finite"));
}

}  // namespace

std::unique_ptr<const Transform> MakeUnconstrained(const Constraint&,
                                                   const std::vector<int64_t>& block) {
  return MakeElementwise(Identity{}, block);
}

std::unique_ptr<const Transform> MakeLower(const Constraint& constraint,
                                           const std::vector<int64_t>& block) {
  return MakeElementwise(Lower{constraint.lower}, block);
}

std::unique_ptr<const Transform> MakeUpper(const Constraint& constraint,
                                           const std::vector<int64_t>& block) {
  return MakeElementwise(Upper{constraint.upper}, block);
}

std::unique_ptr<const Transform> MakeInterval(const Constraint& constraint,
                                              const std::vector<int64_t>& block) {
  const double width = constraint.upper - constraint.lower;
  return MakeElementwise(Interval{constraint.lower, constraint.upper, width, std::log(width)},
                         block);
}

std::unique_ptr<const Transform> MakeAffine(const Constraint& constraint,
                                            const std::vector<int64_t>& block) {
  return MakeElementwise(
      Affine{constraint.offset, constraint.multiplier, std::log(constraint.multiplier)}, block);
}

absl::Status CheckBounds(const Constraint& constraint) {
  const ConstraintKind kind = constraint.kind;
  if (kind == ConstraintKind::kLower) return CheckFinite("lower", constraint.lower);
  if (kind == ConstraintKind::kUpper) return CheckFinite("upper", constraint.upper);
  if (kind == ConstraintKind::kInterval) {
    if (absl::Status s = CheckFinite("lower", constraint.lower); !s.ok()) return s;
    if (absl::Status s = CheckFinite("upper", constraint.upper); !s.ok()) return s;
    if (!(constraint.upper > constraint.lower)) {
      return absl::InvalidArgumentError(absl::StrCat("upper: is ", constraint.upper,
                                                     ", must be above lower, ", constraint.lower));
    }
    if (!std::isfinite(constraint.upper - constraint.lower)) {
      return absl::InvalidArgumentError("upper: is too far above lower");
    }
  }
  if (kind == ConstraintKind::kAffine) {
    if (absl::Status s = CheckFinite("offset", constraint.offset); !s.ok()) return s;
    if (absl::Status s = CheckFinite("multiplier", constraint.multiplier); !s.ok()) return s;
    if (!(constraint.multiplier > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("multiplier: is ", constraint.multiplier, ", must be positive"));
    }
  }
  return absl::OkStatus();
}

}  // namespace aisivi
