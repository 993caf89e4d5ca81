// When a fit hands on a checkpoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/fit/options.h"
#include "engine/fit/reporter.h"
#include "engine/fit/run_state.h"
#include "engine/targets/target.h"

namespace aisivi {

struct FitControl;
struct RestartsState;

// Thread safety: none; the fit's own thread.
class Checkpointer {
 public:
  // All must outlive it. control.on_checkpoint is where checkpoints go; record and restarts are
  // what they tell beside the run that goes on. options: after ApplyMethod().
  Checkpointer(const Target& target, const FitOptions& options, const FitControl& control,
               const Reporter& record, const RestartsState& restarts);

  // To be asked wherever there can be a checkpoint: whether there has to be one.
  bool Due();
  // Hands on a checkpoint, after Due(), and measures how long that took. Nothing happens where the
  // target cannot be evaluated: the fit will find that out. run: none while there is none.
  void Save(std::optional<RunState> run);

 private:
  using Clock = std::chrono::steady_clock;

  // SpecHash(), made when it is first needed; false: the target cannot be evaluated.
  bool MakeSpec();

  const Target& target_;
  const FitOptions& options_;
  const FitControl& control_;
  const Reporter& record_;
  const RestartsState& restarts_;
  std::optional<uint64_t> spec_;
  int64_t asked_ = 0;
  Clock::time_point next_;   // when one is due
  Clock::time_point began_;  // the one that is due
};

}  // namespace aisivi
