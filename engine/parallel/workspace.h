// Scratch memory of one running computation: one for each worker of a pool, one for the caller.
#pragma once

#include <vector>

#include "engine/parallel/scratch.h"
#include "engine/parallel/thread_pool.h"

namespace aisivi {

// Thread safety: worker(i) only from worker i of the pool, caller() only from the owning thread.
class Workspace {
 public:
  explicit Workspace(const ThreadPool& pool) : workers_(pool.threads()) {}
  Scratch& worker(int i) { return workers_[i]; }
  Scratch& caller() { return caller_; }

 private:
  std::vector<Scratch> workers_;
  Scratch caller_;
};

}  // namespace aisivi
