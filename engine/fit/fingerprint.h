// Whether two builds on two processors compute the same numbers.
#pragma once

#include <string>

#include "engine/parallel/thread_pool.h"

namespace aisivi {

// 16 hexadecimal digits: FNV-1a over the model and the evidence of a small fixed fit, which goes
// through target, family, proposal, training and evidence. It differs where the compiler, its
// options, the instruction set, or the mathematical library's choice for the processor lead to
// other bits. Computed once a process, in some milliseconds. Thread-safe.
const std::string& NumericFingerprint();

// The same, computed on `pool`: at any thread count.
std::string ComputeNumericFingerprint(ThreadPool& pool);

}  // namespace aisivi
