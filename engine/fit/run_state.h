// One run of a fit, as plain data: what has come of it so far, and where it goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/explore/reference_state.h"
#include "engine/fit/best_state.h"
#include "engine/fit/final_evidence.h"
#include "engine/fit/progress.h"
#include "engine/fit/start.h"
#include "engine/fit/training_state.h"
#include "engine/warmstart/multistart.h"

namespace aisivi {

// What a run is doing, in order. Each is begun anew, or gone on with where it says so.
enum class RunStage {
  kStart,        // the search for starts
  kLook,         // the look at the best of them
  kChoice,       // their pilot trainings; from step to step
  kPretraining,  // the flow steps before the first family step; from step to step
  kTraining,     // from step to step
  kProposals,    // the flow steps for the evidence; from step to step
  kSampling,     // of a method that samples; from temperature to temperature
  kEvidence,     // from chunk to chunk of its draws
};

struct RunState {
  RunStage stage = RunStage::kStart;
  double seconds = 0;     // since the run began, when this was a safe point
  double time_limit = 0;  // of this run, seconds; 0: none

  BestState best;                                       // of all that was trained
  TerminationReason reason = TerminationReason::kNone;  // once the run has to stop
  double training_began = 0;                            // seconds
  bool shortened = false;   // whether the time limit brought the end of training forward
  MultistartReport search;  // for the modes of the target
  std::vector<std::string> log;

  std::vector<Start> starts;               // whose training has not begun
  int64_t shown = 0;                       // steps of pilot trainings that have ended
  std::optional<TrainingState> contender;  // the best of those
  // The training that goes on, where this is a safe point in it.
  std::optional<TrainingState> training;
  int64_t flow_iteration = 0;  // flow steps done, of kPretraining or kProposals
  ReferenceState sampler;
  EvidenceState evidence;
};

}  // namespace aisivi
