// What the parts of one run of a fit share: what is fitted and how, and what has come of it so far.
#pragma once

#include <string>
#include <vector>

#include "engine/fit/best_state.h"
#include "engine/fit/deadline.h"
#include "engine/fit/options.h"
#include "engine/fit/progress.h"
#include "engine/fit/reporter.h"
#include "engine/methods/methods.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"
#include "engine/warmstart/multistart.h"

namespace aisivi {

struct RunContext {
  const Target& target;
  const FitOptions& options;
  const MethodEntry& method;
  ThreadPool& pool;
  Deadline& deadline;
  Reporter& reporter;

  BestState best = {};                                  // of all that was trained
  TerminationReason reason = TerminationReason::kNone;  // once the run has to stop
  double training_began = 0;                            // seconds
  bool shortened = false;        // whether the time limit brought the end of training forward
  MultistartReport search = {};  // for the modes of the target
  std::vector<std::string> log = {};
};

}  // namespace aisivi
