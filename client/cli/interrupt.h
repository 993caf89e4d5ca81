// Ctrl-C as a stop token.
#pragma once

#include <signal.h>

#include <stop_token>
#include <thread>

namespace aisivi::cli {

// While it lives, SIGINT requests a stop instead of ending the program; a second SIGINT ends it.
// One at a time.
class InterruptToken {
 public:
  InterruptToken();
  ~InterruptToken();
  InterruptToken(const InterruptToken&) = delete;
  InterruptToken& operator=(const InterruptToken&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  int pipe_[2];
  struct sigaction before_;
  std::thread thread_;
};

}  // namespace aisivi::cli
