#include "tests/engine/allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>

// What links aisivi_proto has _GLIBCXX_TSAN in place of __SANITIZE_THREAD__ (proto/CMakeLists.txt).
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(_GLIBCXX_TSAN) || \
    !defined(__GLIBC__)
#define AISIVI_COUNTS_ALLOCATIONS 0
#else
#define AISIVI_COUNTS_ALLOCATIONS 1
#endif

namespace {

std::atomic<int64_t> g_in_use{0}, g_peak{0}, g_calls{0};

#if AISIVI_COUNTS_ALLOCATIONS
void* Count(void* p) {
  if (p == nullptr) return p;
  const int64_t size = static_cast<int64_t>(malloc_usable_size(p));
  const int64_t now = g_in_use.fetch_add(size) + size;
  int64_t peak = g_peak;
  while (peak < now && !g_peak.compare_exchange_weak(peak, now)) {
  }
  ++g_calls;
  return p;
}
#endif

}  // namespace

#if AISIVI_COUNTS_ALLOCATIONS
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

void* malloc(size_t n) { return Count(__libc_malloc(n)); }
void* calloc(size_t count, size_t n) { return Count(__libc_calloc(count, n)); }
void* realloc(void* p, size_t n) {
  if (p != nullptr) g_in_use -= static_cast<int64_t>(malloc_usable_size(p));
  return Count(__libc_realloc(p, n));
}
void* memalign(size_t align, size_t n) { return Count(__libc_memalign(align, n)); }
void* aligned_alloc(size_t align, size_t n) { return Count(__libc_memalign(align, n)); }
int posix_memalign(void** p, size_t align, size_t n) {
  *p = Count(__libc_memalign(align, n));
  return *p == nullptr ? 12 : 0;
}
void free(void* p) {
  if (p != nullptr) g_in_use -= static_cast<int64_t>(malloc_usable_size(p));
  __libc_free(p);
}
}
#endif

namespace aisivi::test {

bool CountsAllocations() { return AISIVI_COUNTS_ALLOCATIONS; }
int64_t AllocationCalls() { return g_calls; }
int64_t BytesInUse() { return g_in_use; }
int64_t PeakBytes() { return g_peak; }
void ResetPeak() { g_peak = g_in_use.load(); }

}  // namespace aisivi::test
