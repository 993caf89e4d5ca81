// Scratch memory of one running computation: one for each worker of a pool, one for the caller.
#pragma once

#include <vector>

#include "engine/parallel/scratch.h"
#include "engine/parallel/thread_pool.h"

namespace aisivi {

// Thread safety: worker(i) only from worker i of the pool, caller() only from the owning thread.
class Workspace {
 public:
  // Every scratch gets its first block, so that memory does not depend on who comes to work.
  explicit Workspace(const ThreadPool& pool) : workers_(pool.threads()) {
    for (Scratch& scratch : workers_) {
      Scratch::Frame frame(scratch);
      scratch.Take<char>(1);
    }
  }
  Scratch& worker(int i) { return workers_[i]; }
  Scratch& caller() { return caller_; }

 private:
  std::vector<Scratch> workers_;
  Scratch caller_;
};

}  // namespace aisivi
