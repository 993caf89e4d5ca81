// A fit between two steps, as plain data and as bytes.
//
// Layout: magic, version, numeric fingerprint, spec, then the fields in the order of
// checkpoint_fields.h, and a checksum of all before it (engine/model/bytes.h). Random numbers are
// counter-based: iterations and counts are all of their state.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/fit/final_evidence.h"
#include "engine/fit/fit.h"
#include "engine/fit/reporter.h"
#include "engine/fit/run_state.h"

namespace aisivi {

// What the runs of a fit have come to.
struct RestartsState {
  int64_t run = 0;                // the one that goes on, from 0; how many there are: all are done
  std::optional<FitResult> best;  // of those that are done
  int64_t kept = 0;               // its number, from 1
  int64_t with_evidence = 0;      // how many have an evidence
  std::vector<Eigen::MatrixXd> draws;  // of each, D×N
  std::vector<double> elbo;            // elbo_lower of each
  std::vector<std::string> log;
  bool afresh = false;     // whether the evidence of the best is being estimated anew
  EvidenceState evidence;  // if so
};

struct FitCheckpoint {
  std::string fingerprint;  // NumericFingerprint() of the process that made it
  uint64_t spec = 0;        // SpecHash() of what is fitted and how
  double seconds = 0;       // used so far
  ReporterState record;
  RestartsState restarts;
  std::optional<RunState> run;  // that goes on; none while the evidence is estimated anew
};

std::string SerializeCheckpoint(const FitCheckpoint& checkpoint);

// DATA_LOSS "checkpoint: …" for bytes that are not all there or not as they were written,
// FAILED_PRECONDITION for those of another version. Whatever the bytes, no more is allocated than a
// small multiple of their number. Whether the parts fit together, and to a fit, is for
// CheckCheckpoint() to say.
absl::StatusOr<FitCheckpoint> ParseCheckpoint(std::string_view bytes);

}  // namespace aisivi
