// Whether a fit can go on from a checkpoint.
#pragma once

#include "absl/status/status.h"
#include "engine/fit/checkpoint.h"
#include "engine/fit/options.h"
#include "engine/methods/methods.h"
#include "engine/targets/target.h"

namespace aisivi {

// options: valid, after ApplyMethod(); method: that of them. FAILED_PRECONDITION "checkpoint: …"
// for a checkpoint of another numeric fingerprint or of another fit; DATA_LOSS "checkpoint: …" for
// one whose parts do not fit together: what passes is safe to go on from, whoever wrote it. The
// target's own error where it cannot be asked who it is.
absl::Status CheckCheckpoint(const FitCheckpoint& checkpoint, const Target& target,
                             const FitOptions& options, const MethodEntry& method);

}  // namespace aisivi
