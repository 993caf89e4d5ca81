#include "engine/transforms/correlation.h"

#include <Eigen/Core>
#include <cmath>

#include "absl/strings/str_format.h"
#include "engine/transforms/logistic.h"
#include "engine/transforms/matrix_checks.h"

namespace aisivi {
namespace {

using Eigen::Index;
using ConstMatrix = Eigen::Map<const Eigen::MatrixXd>;
using Matrix = Eigen::Map<Eigen::MatrixXd>;

// The equations of the head with i and j from 0.
class Correlation final : public Transform {
 public:
  // `matrix`: x = L Lᵀ instead of L.
  Correlation(int64_t size, bool matrix) : size_(size), matrix_(matrix) {}

  int64_t coordinates() const override { return size_ * (size_ - 1) / 2; }
  int64_t elements() const override { return size_ * size_; }

  double Constrain(const double* y, double* x) const override {
    if (matrix_) {
      Eigen::MatrixXd l(size_, size_);
      FillFactor(y, &l);
      Product(l, x);
      Matrix(x, size_, size_).diagonal().setOnes();
    } else {
      Matrix l(x, size_, size_);
      FillFactor(y, &l);
    }
    double log_jacobian = 0;
    for (Index i = 1; i < size_; ++i) {
      for (Index j = 0; j < i; ++j) log_jacobian += Exponent(i, j) * LogSech(y[Coordinate(i, j)]);
    }
    return log_jacobian;
  }

  void PullBack(const double* y, const double* x, const double* grad_x,
                double* grad_y) const override {
    const ConstMatrix given(x, size_, size_), g(grad_x, size_, size_);
    if (!matrix_) {
      PullBackFactor(y, given, g, grad_y);
      return;
    }
    Eigen::MatrixXd l(size_, size_);
    FillFactor(y, &l);
    Eigen::MatrixXd both = g + g.transpose();
    both.diagonal().setZero();  // x_ii is always 1
    PullBackFactor(y, l, both * l, grad_y);
  }

  absl::Status Unconstrain(const double* x, double* y) const override {
    const ConstMatrix given(x, size_, size_);
    if (!matrix_) return UnconstrainFactor(given, y);
    for (Index i = 0; i < size_; ++i) {
      if (std::fabs(given(i, i) - 1) <= kConstraintTolerance) continue;
      return absl::InvalidArgumentError(
          absl::StrFormat("row %d column %d is %.12g, not 1", i + 1, i + 1, given(i, i)));
    }
    const absl::StatusOr<Eigen::MatrixXd> l = FactorOf(given);
    if (!l.ok()) return l.status();
    return UnconstrainFactor(*l, y);
  }

 private:
  Index Coordinate(Index i, Index j) const {
    return matrix_ ? j * (size_ - 1) - j * (j - 1) / 2 + i - j - 1 : i * (i - 1) / 2 + j;
  }
  // Of sech(y_ij) in |J|.
  double Exponent(Index i, Index j) const {
    return static_cast<double>((matrix_ ? size_ - 1 : i) - j + 1);
  }

  template <typename Factor>
  void FillFactor(const double* y, Factor* l) const {
    l->setZero();
    for (Index i = 0; i < size_; ++i) {
      double rho = 1;
      for (Index j = 0; j < i; ++j) {
        const double value = y[Coordinate(i, j)];
        (*l)(i, j) = rho * std::tanh(value);
        rho /= std::cosh(value);
      }
      (*l)(i, i) = rho;
    }
  }

  // From g = ∂f/∂L to ∇_y (f + log|J|).
  void PullBackFactor(const double* y, const Eigen::Ref<const Eigen::MatrixXd>& l,
                      const Eigen::Ref<const Eigen::MatrixXd>& g, double* grad_y) const {
    Eigen::VectorXd rho(size_);
    for (Index i = 1; i < size_; ++i) {
      rho(0) = 1;
      for (Index j = 1; j < i; ++j) rho(j) = rho(j - 1) / std::cosh(y[Coordinate(i, j - 1)]);
      double later = g(i, i) * l(i, i);  // Σ_{l>j} g_il L_il
      for (Index j = i - 1; j >= 0; --j) {
        const Index c = Coordinate(i, j);
        const double sech = 1 / std::cosh(y[c]);
        grad_y[c] = g(i, j) * rho(j) * sech * sech - std::tanh(y[c]) * (later + Exponent(i, j));
        later += g(i, j) * l(i, j);
      }
    }
  }

  absl::Status UnconstrainFactor(const Eigen::Ref<const Eigen::MatrixXd>& l, double* y) const {
    if (absl::Status s = CheckFactor(l); !s.ok()) return s;
    for (Index i = 0; i < size_; ++i) {
      // tanh(y) / sech(y) = sinh(y): L_ij over the norm of what follows it in its row.
      double rest = l(i, i);
      for (Index j = i - 1; j >= 0; --j) {
        y[Coordinate(i, j)] = std::asinh(l(i, j) / rest);
        rest = std::hypot(rest, l(i, j));
      }
      if (std::fabs(rest - 1) <= kConstraintTolerance) continue;
      return absl::InvalidArgumentError(
          absl::StrFormat("row %d has norm %.12g, not 1", i + 1, rest));
    }
    return absl::OkStatus();
  }

  const int64_t size_;
  const bool matrix_;
};

}  // namespace

std::unique_ptr<const Transform> MakeCholeskyFactorCorr(const Constraint&,
                                                        const std::vector<int64_t>& block) {
  return std::make_unique<Correlation>(block[0], false);
}

std::unique_ptr<const Transform> MakeCorrMatrix(const Constraint&,
                                                const std::vector<int64_t>& block) {
  return std::make_unique<Correlation>(block[0], true);
}

}  // namespace aisivi
