#include "engine/nn/mlp.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/nn/dense.h"

namespace aisivi {

Mlp::Mlp(std::vector<int64_t> sizes) : sizes_(std::move(sizes)) {
  for (int i = 0; i < layers(); ++i) {
    weight_offset_.push_back(count_);
    count_ += sizes_[i] * sizes_[i + 1];
    bias_offset_.push_back(count_);
    count_ += sizes_[i + 1];
  }
}

void Mlp::Initialize(const RngStream& stream, bool zero_last, float* parameters) const {
  FillUniform(stream, parameters, count_);
  for (int i = 0; i < layers(); ++i) {
    const bool zero = zero_last && i + 1 == layers();
    const float bound = zero ? 0.0f : 1.0f / std::sqrt(static_cast<float>(sizes_[i]));
    const int64_t end = bias_offset_[i] + sizes_[i + 1];
    for (int64_t j = weight_offset_[i]; j < end; ++j) {
      parameters[j] = bound * (2.0f * parameters[j] - 1.0f);
    }
  }
}

bool Mlp::OutputIsZero(const float* parameters) const {
  return std::all_of(parameters + weight_offset_.back(), parameters + count_,
                     [](float value) { return value == 0.0f; });
}

void Mlp::Forward(const float* parameters, const ConstTileMap& input, Scratch& scratch,
                  TileMap output, Trace* trace) const {
  ConstTileMap h(input);
  if (trace != nullptr) trace->activations = scratch.Take<ConstTileMap>(layers());
  for (int i = 0; i < layers(); ++i) {
    if (trace != nullptr) new (trace->activations + i) ConstTileMap(h);
    const bool last = i + 1 == layers();
    TileMap out = last ? output : TakeTile(scratch, sizes_[i + 1], input.cols());
    Dense(parameters + weight_offset_[i], parameters + bias_offset_[i], h, !last, out);
    new (&h) ConstTileMap(Const(out));
  }
}

void Mlp::Backward(const float* parameters, const Trace& trace, const ConstTileMap& grad_output,
                   Scratch& scratch, float* gradient, TileMap* grad_input) const {
  ConstTileMap g(grad_output);
  for (int i = layers() - 1; i >= 0; --i) {
    const ConstTileMap& h = trace.activations[i];
    if (gradient != nullptr) {
      MutableWeights(gradient + weight_offset_[i], sizes_[i + 1], sizes_[i]).noalias() +=
          g * h.transpose();
      MutableBias(gradient + bias_offset_[i], sizes_[i + 1]) += g.rowwise().sum();
    }
    if (i == 0 && grad_input == nullptr) return;
    TileMap back = i == 0 ? *grad_input : TakeTile(scratch, sizes_[i], g.cols());
    const Weights w(parameters + weight_offset_[i], sizes_[i + 1], sizes_[i]);
    back.noalias() = w.transpose() * g;
    if (i > 0) back.array() *= (h.array() > 0.0f).cast<float>();
    new (&g) ConstTileMap(Const(back));
  }
}

}  // namespace aisivi
