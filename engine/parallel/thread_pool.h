// A pool of worker threads that every running fit shares.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"

namespace aisivi {

// Thread safety: all methods may be called from any number of threads at once, but not from inside
// a task of the same pool.
class ThreadPool {
 public:
  // `threads` ≥ 1 workers; 0: one per core.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  // Runs task(item, worker) once for each item in [0, items) and returns when all are done.
  // worker ∈ [0, threads()) names the running thread, for scratch space of its own. Items start in
  // order. Several loops at once take turns item by item, so that none starves. Tasks must not
  // throw. The shards of a computation (its items) must not depend on threads(), so that results
  // do not either.
  // Allocates nothing.
  void ParallelFor(int64_t items, absl::FunctionRef<void(int64_t item, int worker)> task);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aisivi
