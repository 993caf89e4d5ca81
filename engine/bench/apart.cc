#include "engine/bench/apart.h"

#include <sys/resource.h>

namespace aisivi::bench {

double PeakMb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace aisivi::bench
