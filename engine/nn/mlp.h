// A multilayer perceptron with ReLU between its layers.
//
//   h_0 = input;  h_i = ReLU(W_i h_{i-1} + b_i);  output = W_n h_{n-1} + b_n
//
// Parameters live in a flat vector that the caller owns: for each layer W (out×in, row-major), then
// b (out). A gradient has the same layout.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/nn/tile.h"
#include "engine/parallel/rng.h"

namespace aisivi {

class Mlp {
 public:
  Mlp() = default;
  // sizes: input, hidden…, output; at least two, each ≥ 1.
  explicit Mlp(std::vector<int64_t> sizes);

  int64_t parameter_count() const { return count_; }
  int64_t input_size() const { return sizes_.front(); }
  int64_t output_size() const { return sizes_.back(); }
  int layers() const { return static_cast<int>(sizes_.size()) - 1; }

  // Uniform on ±1/√in for weights and biases; the last layer zero if asked, so that the output is
  // zero whatever the input.
  void Initialize(const RngStream& stream, bool zero_last, float* parameters) const;

  // Whether the last layer is zero, and with it the output for any input.
  bool OutputIsZero(const float* parameters) const;

  // The activations of one pass, for the way back: h_0 … h_{n-1}. All live in the scratch.
  struct Trace {
    ConstTileMap* activations = nullptr;
  };

  // input: in×n; output: out×n, both padded tiles (TakeTile or Rows of one). `trace` may be null.
  void Forward(const float* parameters, const ConstTileMap& input, Scratch& scratch, TileMap output,
               Trace* trace = nullptr) const;

  // grad_output: out×n, d loss / d output. Adds d loss / d parameters to `gradient` unless that is
  // null. grad_input (in×n) is overwritten unless null.
  void Backward(const float* parameters, const Trace& trace, const ConstTileMap& grad_output,
                Scratch& scratch, float* gradient, TileMap* grad_input = nullptr) const;

 private:
  std::vector<int64_t> sizes_;
  std::vector<int64_t> weight_offset_, bias_offset_;
  int64_t count_ = 0;
};

}  // namespace aisivi
