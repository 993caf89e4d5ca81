// A density that processes of users evaluate, as an offer made it known.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "engine/transforms/parameter_map.h"

namespace aisivi::server {

struct RemoteDensity {
  std::string name;  // "densities/{id}"
  ParameterMap map;
  bool unnormalised = false;  // log p is known up to a constant only
  // How long a fit waits when nobody answers.
  absl::Duration patience = absl::ZeroDuration();
};

}  // namespace aisivi::server
