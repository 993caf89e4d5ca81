// Adds rows of single precision into sums of double precision.
//
// A log density over D dimensions is a sum of D terms; kept in single precision it would be rounded
// D times at the size of the whole sum. Here every term is rounded once, at its own size. The loops
// are as plain as they are so that compilers vectorise them, conversion and all.
#pragma once

#include <cstdint>

namespace aisivi {

// sum (n) += row (n).
inline void AddRow(const float* __restrict row, int64_t n, double* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) sum[i] += static_cast<double>(row[i]);
}

// sum (n) −= row (n).
inline void SubtractRow(const float* __restrict row, int64_t n, double* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) sum[i] -= static_cast<double>(row[i]);
}

// sum (n) −= ½ row² (n).
inline void SubtractHalfSquares(const float* __restrict row, int64_t n, double* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) {
    const double v = static_cast<double>(row[i]);
    sum[i] -= 0.5 * v * v;
  }
}

// sum (n) += value.
inline void AddConstant(double value, int64_t n, double* __restrict sum) {
  for (int64_t i = 0; i < n; ++i) sum[i] += value;
}

}  // namespace aisivi
