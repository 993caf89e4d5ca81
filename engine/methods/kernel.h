// Kernels on points x ∈ R^D, of the methods that smooth or compare by them.
//
//   gaussian   k(r) = exp(−r²/(2 h²))
//   imq        k(r) = (1 + r²/h²)^(−1/2)          inverse multiquadric
//   laplace    k(r) = exp(−r/h)
//
// with r = ‖x − x'‖ and the bandwidth h by the median heuristic: h² is the median of r² over the
// pairs of different points of a step (KSIVI: Cheng et al., ICML 2024, arXiv 2405.18997).
#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aisivi {

enum class KernelKind { kGaussian, kImq, kLaplace };

// "gaussian", "imq", "laplace"; in the order of the enum.
const std::vector<std::string>& KernelNames();
std::optional<KernelKind> KernelOfName(std::string_view name);

// Of all pairs of the points of a step.
struct KernelMatrix {
  Eigen::MatrixXd square;  // m×m: r²
  Eigen::MatrixXd value;   // m×m: k(r_ij)
  Eigen::MatrixXd slope;   // m×m: ∇_{x_i} k(r_ij) = slope_ij (x_i − x_j); 0 where r = 0
  double bandwidth = 1;    // h

  std::vector<double> work;
};

// x: D×m, finite; two points at least. When most points coincide, h is the smallest that is not 0,
// or 1.
void EvaluateKernel(KernelKind kind, const Eigen::Ref<const Eigen::MatrixXd>& x,
                    KernelMatrix* kernel);

}  // namespace aisivi
