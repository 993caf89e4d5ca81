// Memory for temporary arrays.
#pragma once

#include <cstdlib>  // defines __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace aisivi::server {

// Has the process keep up to 16 MB in each of its heaps that arrays of up to 4 MB gave back. As it
// comes, glibc gives all beyond 128 kB back to the system and takes it again page by page: a
// quarter more time for batches of a remote density of 100 kB each. Before there are other threads.
inline void KeepTemporaries() {
#ifdef __GLIBC__
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

}  // namespace aisivi::server
