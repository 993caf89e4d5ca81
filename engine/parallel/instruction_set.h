// Which build of the engine the loader chose for this processor.
#pragma once

namespace aisivi {

// "x86-64-v2", "x86-64-v3", "x86-64-v4" or "generic".
const char* EngineInstructionSet();

}  // namespace aisivi
