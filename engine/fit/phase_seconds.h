// Where the time of training steps goes.
#pragma once

#include <chrono>

namespace aisivi {

// Seconds, summed over the steps.
struct PhaseSeconds {
  double flow = 0;    // flow steps
  double points = 0;  // drawing the points
  double target = 0;  // log p̃ and its score
  double inner = 0;   // inner samples: log q̂ and s_q
  double family = 0;  // way back and update of the family
};

// Adds the time since the last call to one account after the other.
class Stopwatch {
 public:
  void Book(double* account) {
    const auto now = std::chrono::steady_clock::now();
    *account += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace aisivi
