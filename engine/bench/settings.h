// The published settings as benchmarks: one training iteration of each.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/fit/options.h"
#include "engine/fit/trainer.h"
#include "engine/targets/target.h"

namespace aisivi::bench {

// One matrix product of the inner pass: out×in · in×columns, `count` times per iteration.
struct GemmShape {
  int64_t out, in, columns;
  double count;
  double Flop() const { return 2.0 * static_cast<double>(out) * in * columns * count; }
};

// The products of one iteration's inner pass after the exact rewrites (DESIGN.md §3): couplings
// read and write their live halves, and what depends on the point alone is computed once per point.
std::vector<GemmShape> InnerShapes(const FitOptions& options, int dim);

// A trainer at a preset, on its target (random rows stand in for the WAVEFORM data).
class Setting {
 public:
  // `change`, if any, edits the preset's options first.
  Setting(const std::string& preset, ThreadPool& pool,
          const std::function<void(FitOptions*)>& change = nullptr);
  const FitOptions& options() const { return options_; }
  int dim() const { return target_->dim(); }
  Trainer& trainer() { return *trainer_; }

 private:
  FitOptions options_;
  std::unique_ptr<const Target> target_;
  ModelState state_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace aisivi::bench
