#include "server/convert/engine_info.h"

#include "engine/fit/fingerprint.h"
#include "engine/parallel/instruction_set.h"
#include "server/config/flags.h"

namespace aisivi::server {

v1::EngineInfo ThisEngine() {
  v1::EngineInfo engine;
  engine.set_version(Version());
  engine.set_instruction_set(EngineInstructionSet());
  engine.set_numeric_fingerprint(NumericFingerprint());
  return engine;
}

}  // namespace aisivi::server
