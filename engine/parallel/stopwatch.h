// Where time goes.
#pragma once

#include <chrono>

namespace aisivi {

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
