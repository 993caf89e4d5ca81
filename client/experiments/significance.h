// Whether two methods differ: paired tests over several seeds, on log evidence and on the gap
// log Z − ELBO.
#pragma once

#include "absl/status/status.h"
#include "client/experiments/context.h"

namespace aisivi::experiments {

absl::Status RunSignificance(const Context& context);

}  // namespace aisivi::experiments
