// Clocks that go on where those of another process stopped.
#pragma once

#include <chrono>

namespace aisivi {

// The time of the steady clock so many seconds ago.
inline std::chrono::steady_clock::time_point SecondsAgo(double seconds) {
  return std::chrono::steady_clock::now() -
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(
             std::chrono::duration<double>(seconds));
}

}  // namespace aisivi
