#include "engine/transforms/covariance.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "engine/transforms/matrix_checks.h"

namespace aisivi {
namespace {

using Eigen::Index;
using ConstMatrix = Eigen::Map<const Eigen::MatrixXd>;
using Matrix = Eigen::Map<Eigen::MatrixXd>;

// Calls visit(row, column, coordinate) for the entries of the lower triangle, row after row.
template <typename Visit>
void ForLowerEntries(Index rows, Index columns, const Visit& visit) {
  Index coordinate = 0;
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < std::min(i + 1, columns); ++j) visit(i, j, coordinate++);
  }
}

template <typename Factor>
void FillFactor(const double* y, Factor* l) {
  l->setZero();
  ForLowerEntries(l->rows(), l->cols(),
                  [&](Index i, Index j, Index c) { (*l)(i, j) = i == j ? std::exp(y[c]) : y[c]; });
}

class CholeskyFactorCov final : public Transform {
 public:
  CholeskyFactorCov(int64_t rows, int64_t columns) : rows_(rows), columns_(columns) {}

  int64_t coordinates() const override {
    return columns_ * (columns_ + 1) / 2 + (rows_ - columns_) * columns_;
  }
  int64_t elements() const override { return rows_ * columns_; }

  double Constrain(const double* y, double* x) const override {
    Matrix l(x, rows_, columns_);
    FillFactor(y, &l);
    double log_jacobian = 0;
    ForLowerEntries(rows_, columns_, [&](Index i, Index j, Index c) {
      if (i == j) log_jacobian += y[c];
    });
    return log_jacobian;
  }

  void PullBack(const double*, const double* x, const double* grad_x,
                double* grad_y) const override {
    const ConstMatrix l(x, rows_, columns_), g(grad_x, rows_, columns_);
    ForLowerEntries(rows_, columns_, [&](Index i, Index j, Index c) {
      grad_y[c] = i == j ? g(i, i) * l(i, i) + 1 : g(i, j);
    });
  }

  absl::Status Unconstrain(const double* x, double* y) const override {
    const ConstMatrix l(x, rows_, columns_);
    if (absl::Status s = CheckFactor(l); !s.ok()) return s;
    ForLowerEntries(rows_, columns_, [&](Index i, Index j, Index c) {
      y[c] = i == j ? std::log(l(i, i)) : l(i, j);
    });
    return absl::OkStatus();
  }

 private:
  const int64_t rows_, columns_;
};

class CovMatrix final : public Transform {
 public:
  explicit CovMatrix(int64_t size) : size_(size) {}

  int64_t coordinates() const override { return size_ * (size_ + 1) / 2; }
  int64_t elements() const override { return size_ * size_; }

  double Constrain(const double* y, double* x) const override {
    Eigen::MatrixXd l(size_, size_);
    FillFactor(y, &l);
    Product(l, x);
    double log_jacobian = static_cast<double>(size_) * std::log(2.0);
    ForLowerEntries(size_, size_, [&](Index i, Index j, Index c) {
      if (i == j) log_jacobian += Exponent(i) * y[c];
    });
    return log_jacobian;
  }

  void PullBack(const double* y, const double*, const double* grad_x,
                double* grad_y) const override {
    Eigen::MatrixXd l(size_, size_);
    FillFactor(y, &l);
    const ConstMatrix g(grad_x, size_, size_);
    const Eigen::MatrixXd of_factor = (g + g.transpose()) * l;
    ForLowerEntries(size_, size_, [&](Index i, Index j, Index c) {
      grad_y[c] = i == j ? of_factor(i, i) * l(i, i) + Exponent(i) : of_factor(i, j);
    });
  }

  absl::Status Unconstrain(const double* x, double* y) const override {
    const ConstMatrix covariance(x, size_, size_);
    absl::StatusOr<Eigen::MatrixXd> l = FactorOf(covariance);
    if (!l.ok()) return l.status();
    ForLowerEntries(size_, size_, [&](Index i, Index j, Index c) {
      y[c] = i == j ? std::log((*l)(i, i)) : (*l)(i, j);
    });
    return absl::OkStatus();
  }

 private:
  // Of L_ii in |J|, that of e^{y_ii} among them.
  double Exponent(Index i) const { return static_cast<double>(size_ - i + 1); }

  const int64_t size_;
};

}  // namespace

std::unique_ptr<const Transform> MakeCholeskyFactorCov(const Constraint&,
                                                       const std::vector<int64_t>& block) {
  return std::make_unique<CholeskyFactorCov>(block[0], block[1]);
}

std::unique_ptr<const Transform> MakeCovMatrix(const Constraint&,
                                               const std::vector<int64_t>& block) {
  return std::make_unique<CovMatrix>(block[0]);
}

}  // namespace aisivi
