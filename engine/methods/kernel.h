// Kernels on points x ∈ R^D, of the methods that smooth or compare by them.
//
//   gaussian   k(r) = exp(−r²/(2 h²))
//   imq        k(r) = (1 + r²/h²)^(−1/2)          inverse multiquadric
//   laplace    k(r) = exp(−r/h)
//
// with r = ‖x − x'‖ and the bandwidth h by the median heuristic (Liu & Wang, NeurIPS 2016, arXiv
// 1608.04471), as the authors of KSIVI and KPG have it: with the median over the pairs of n
// different points,
//
//   gaussian   h² = median(r²)/(2 log(n + 1))
//   imq        h² = median(r²)/log(n + 1)
//   laplace    h  = median(r)/log(n + 1)
//
// so that the kernel of a point with the n others sums to about 1.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aisivi {

enum class KernelKind { kGaussian, kImq, kLaplace };

// "gaussian", "imq", "laplace"; in the order of the enum.
const std::vector<std::string>& KernelNames();
std::optional<KernelKind> KernelOfName(std::string_view name);

// h; median_square: median of r², > 0. n ≥ 1.
double Bandwidth(KernelKind kind, double median_square, int64_t n);
// k(r) for r² = square.
double KernelValue(KernelKind kind, double square, double bandwidth);

// Of all pairs of the points of a step.
struct KernelMatrix {
  Eigen::MatrixXd square;  // m×m: r²
  Eigen::MatrixXd value;   // m×m: k(r_ij)
  Eigen::MatrixXd slope;   // m×m: ∇_{x_i} k(r_ij) = slope_ij (x_i − x_j); 0 where r = 0
  double bandwidth = 1;    // h

  std::vector<double> work;
};

// x: D×m, finite; two points at least. When most points coincide, the smallest r that is not 0, or
// 1, stands for the median.
void EvaluateKernel(KernelKind kind, const Eigen::Ref<const Eigen::MatrixXd>& x,
                    KernelMatrix* kernel);

}  // namespace aisivi
