#include "engine/parallel/instruction_set.h"

namespace aisivi {

const char* EngineInstructionSet() { return AISIVI_ENGINE_ISA; }

}  // namespace aisivi
