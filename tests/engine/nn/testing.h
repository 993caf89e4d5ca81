// Small helpers of the engine tests: random arrays, tiles, and a perceptron in double precision.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <random>
#include <vector>

#include "engine/nn/tile.h"

namespace aisivi::test {

using Random = std::mt19937_64;

// rows×cols of N(0, scale²).
inline Eigen::MatrixXd Normals(int64_t rows, int64_t cols, double scale, Random& random) {
  std::normal_distribution<double> normal(0, scale);
  Eigen::MatrixXd result(rows, cols);
  for (int64_t j = 0; j < cols; ++j) {
    for (int64_t i = 0; i < rows; ++i) result(i, j) = normal(random);
  }
  return result;
}

inline int64_t Between(int64_t low, int64_t high, Random& random) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

inline void Perturb(double scale, Random& random, Eigen::VectorXf* parameters) {
  *parameters += Normals(parameters->size(), 1, scale, random).cast<float>();
}

// A copy of `values` in the scratch.
inline TileMap Put(const Eigen::MatrixXd& values, Scratch& scratch) {
  TileMap tile = TakeTile(scratch, values.rows(), values.cols());
  tile = values.cast<float>();
  return tile;
}

inline Eigen::MatrixXd Get(const TileMap& tile) { return tile.cast<double>(); }

// Values that single precision holds exactly, so that engine and reference see the same input.
inline Eigen::MatrixXd Rounded(const Eigen::MatrixXd& values) {
  return values.cast<float>().cast<double>();
}

// The network of engine/nn/mlp.h, written down plainly.
inline Eigen::MatrixXd ReferenceMlp(const std::vector<int64_t>& sizes,
                                    const Eigen::VectorXd& parameters,
                                    const Eigen::MatrixXd& input) {
  Eigen::MatrixXd h = input;
  int64_t at = 0;
  for (size_t layer = 0; layer + 1 < sizes.size(); ++layer) {
    const int64_t in = sizes[layer], out = sizes[layer + 1];
    Eigen::MatrixXd next(out, h.cols());
    for (int64_t j = 0; j < h.cols(); ++j) {
      for (int64_t o = 0; o < out; ++o) {
        double sum = parameters[at + out * in + o];
        for (int64_t i = 0; i < in; ++i) sum += parameters[at + o * in + i] * h(i, j);
        next(o, j) = layer + 2 < sizes.size() && sum < 0 ? 0 : sum;
      }
    }
    at += out * in + out;
    h = next;
  }
  return h;
}

// Σ values² of the difference over Σ of the reference, as a root; 0 for two zeros.
inline double RelativeError(const Eigen::MatrixXd& value, const Eigen::MatrixXd& reference) {
  const double error = (value - reference).norm(), size = reference.norm();
  return size > 0 ? error / size : error;
}

}  // namespace aisivi::test
