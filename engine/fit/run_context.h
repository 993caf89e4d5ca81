// What the parts of one run of a fit share: what is fitted and how, and what has come of it so far.
#pragma once

#include "engine/fit/checkpointer.h"
#include "engine/fit/deadline.h"
#include "engine/fit/options.h"
#include "engine/fit/reporter.h"
#include "engine/fit/run_state.h"
#include "engine/methods/methods.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

struct RunContext : RunState {
  const Target& target;
  const FitOptions& options;
  const MethodEntry& method;
  ThreadPool& pool;
  Deadline& deadline;
  Reporter& reporter;
  Checkpointer& checkpoints;
};

}  // namespace aisivi
