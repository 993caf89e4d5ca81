// Memory of a pass does not depend on K: counted at the allocator, which this program wraps.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>

#include "tests/engine/methods/testing.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define AISIVI_COUNTS_ALLOCATIONS 0  // the allocator is taken
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

namespace aisivi {
namespace {

using test::MakeProblem;
using test::Normals;
using test::Problem;
using test::Random;

struct Usage {
  int64_t peak_bytes;    // above what was in use before
  int64_t second_calls;  // allocations of a second pass with the same workspace
};

Usage Measure(test::PassFunction pass, const InnerRequest& request) {
  ThreadPool pool(1);  // with more, chance decides how many scratches fill
  const int64_t before = g_in_use;
  g_peak = before;
  Workspace workspace(pool);
  InnerEstimate estimate;
  pass(request, pool, workspace, &estimate);
  const int64_t peak = g_peak - before;
  const int64_t calls = g_calls;
  pass(request, pool, workspace, &estimate);
  return {peak, g_calls - calls};
}

TEST(MemoryTest, DoesNotDependOnK) {
  if (!AISIVI_COUNTS_ALLOCATIONS) GTEST_SKIP() << "a sanitizer owns the allocator";
  Random random(1);
  const Problem problem = MakeProblem({.dim = 10, .latent = 10, .couplings = 2}, random);
  const Eigen::MatrixXf x = Normals(10, 4, 1, random).cast<float>();
  for (const test::PassFunction pass : {ProposalPass, PriorPass}) {
    InnerRequest request{
        .family = &problem.family, .proposal = &problem.proposal, .x = &x, .samples = 256};
    const Usage few = Measure(pass, request);
    request.samples = 65536;
    const Usage many = Measure(pass, request);
    ASSERT_GT(few.peak_bytes, 10000) << "the allocator is not being watched";
    EXPECT_LT(static_cast<double>(many.peak_bytes), 1.05 * static_cast<double>(few.peak_bytes));
    EXPECT_LT(many.second_calls, few.second_calls + 100)
        << "allocates in its loops: there are hundreds of tiles";
  }
}

}  // namespace
}  // namespace aisivi
