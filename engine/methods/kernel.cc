#include "engine/methods/kernel.h"

#include <cmath>

#include "engine/methods/point_gradients.h"

namespace aisivi {
namespace {

// Of r² over the pairs; never 0.
double MedianSquare(const Eigen::MatrixXd& square, std::vector<double>* values) {
  values->clear();
  for (int64_t j = 1; j < square.cols(); ++j) {
    for (int64_t i = 0; i < j; ++i) values->push_back(square(i, j));
  }
  const double median = Median(values);
  if (median > 0) return median;
  double least = 0;
  for (const double value : *values) {
    if (value > 0 && (least == 0 || value < least)) least = value;
  }
  return least > 0 ? least : 1;
}

// k and its derivative by r, over r.
struct Radial {
  double value, slope;
};

Radial Evaluate(KernelKind kind, double square, double h) {
  const double scaled = square / (h * h);
  switch (kind) {
    case KernelKind::kGaussian: {
      const double value = std::exp(-0.5 * scaled);
      return {value, -value / (h * h)};
    }
    case KernelKind::kImq: {
      const double value = 1 / std::sqrt(1 + scaled);
      return {value, -value * value * value / (h * h)};
    }
    case KernelKind::kLaplace: {
      const double r = std::sqrt(square);
      const double value = std::exp(-r / h);
      return {value, r > 0 ? -value / (h * r) : 0};
    }
  }
  return {0, 0};
}

}  // namespace

const std::vector<std::string>& KernelNames() {
  static const auto* const kNames = new std::vector<std::string>{"gaussian", "imq", "laplace"};
  return *kNames;
}

std::optional<KernelKind> KernelOfName(std::string_view name) {
  for (size_t i = 0; i < KernelNames().size(); ++i) {
    if (KernelNames()[i] == name) return static_cast<KernelKind>(i);
  }
  return std::nullopt;
}

double Bandwidth(KernelKind kind, double median_square, int64_t n) {
  const double spread = std::log(static_cast<double>(n) + 1);
  switch (kind) {
    case KernelKind::kGaussian:
      return std::sqrt(0.5 * median_square / spread);
    case KernelKind::kImq:
      return std::sqrt(median_square / spread);
    case KernelKind::kLaplace:
      return std::sqrt(median_square) / spread;
  }
  return 1;
}

double KernelValue(KernelKind kind, double square, double bandwidth) {
  return Evaluate(kind, square, bandwidth).value;
}

void EvaluateKernel(KernelKind kind, const Eigen::Ref<const Eigen::MatrixXd>& x,
                    KernelMatrix* kernel) {
  const int64_t m = x.cols();
  kernel->square.resize(m, m);
  for (int64_t j = 0; j < m; ++j) {
    kernel->square(j, j) = 0;
    for (int64_t i = 0; i < j; ++i) {
      kernel->square(i, j) = kernel->square(j, i) = (x.col(i) - x.col(j)).squaredNorm();
    }
  }
  kernel->bandwidth = Bandwidth(kind, MedianSquare(kernel->square, &kernel->work), m);
  kernel->value.resize(m, m);
  kernel->slope.resize(m, m);
  for (int64_t j = 0; j < m; ++j) {
    for (int64_t i = 0; i <= j; ++i) {
      const Radial radial = Evaluate(kind, kernel->square(i, j), kernel->bandwidth);
      kernel->value(i, j) = kernel->value(j, i) = radial.value;
      kernel->slope(i, j) = kernel->slope(j, i) = radial.slope;
    }
  }
}

}  // namespace aisivi
