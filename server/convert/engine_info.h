// What this server computes with.
#pragma once

#include "aisivi/v1/fit.pb.h"

namespace aisivi::server {

// Runs a small fit when first called, some milliseconds. Thread-safe.
v1::EngineInfo ThisEngine();

}  // namespace aisivi::server
