// Quantiles of a sample, linear between its values: the p-quantile of n values stands at p (n − 1).
#pragma once

#include <vector>

namespace aisivi::cli {

// sorted: ascending, at least one; p in [0, 1].
double Quantile(const std::vector<double>& sorted, double p);

}  // namespace aisivi::cli
