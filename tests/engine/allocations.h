// What a test program asks of the allocator. A program that links allocations.cc has its malloc and
// the like wrapped, those of Eigen and of the standard library included.
#pragma once

#include <cstdint>

namespace aisivi::test {

// False where a sanitizer or another C library owns the allocator: then nothing is counted.
bool CountsAllocations();

int64_t AllocationCalls();  // so far, of all threads
int64_t BytesInUse();
int64_t PeakBytes();  // the most in use since ResetPeak()
void ResetPeak();

}  // namespace aisivi::test
