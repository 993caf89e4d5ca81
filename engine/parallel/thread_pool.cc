#include "engine/parallel/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace aisivi {
namespace {

// How long a thread looks for news before it sleeps. Loops of a small fit follow each other within
// microseconds; a sleep and a wake-up between each two would cost more than the loops.
constexpr std::chrono::microseconds kSpin{40};

struct Loop {
  absl::FunctionRef<void(int64_t, int)> task;
  int64_t items;
  // Guarded by State::mutex.
  int64_t next = 0;
  int64_t done = 0;
  Loop* behind = nullptr;  // in the queue

  std::atomic<bool> finished{false};
  std::condition_variable all_done;
};

}  // namespace

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable work;
  // A queue of the loops with items left to start; the front is served next.
  Loop* front = nullptr;
  Loop* back = nullptr;
  std::atomic<int64_t> open_loops{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;

  void Push(Loop* loop);
  Loop* Pop();
  void Work(int worker);
  void SpinForWork() const;
};

void ThreadPool::State::Push(Loop* loop) {
  loop->behind = nullptr;
  (front == nullptr ? front : back->behind) = loop;
  back = loop;
}

Loop* ThreadPool::State::Pop() {
  Loop* loop = front;
  front = loop->behind;
  return loop;
}

void ThreadPool::State::SpinForWork() const {
  const auto until = std::chrono::steady_clock::now() + kSpin;
  while (open_loops.load(std::memory_order_relaxed) == 0 && !stop.load(std::memory_order_relaxed) &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
}

void ThreadPool::State::Work(int worker) {
  std::unique_lock lock(mutex);
  while (true) {
    if (front == nullptr && !stop) {
      lock.unlock();
      SpinForWork();
      lock.lock();
      work.wait(lock, [&] { return stop || front != nullptr; });
    }
    if (front == nullptr) return;  // only when stopping
    Loop* loop = Pop();
    const int64_t item = loop->next++;
    if (loop->next < loop->items) {
      Push(loop);  // the next item of every other loop comes first
    } else {
      open_loops.fetch_sub(1, std::memory_order_relaxed);
    }
    lock.unlock();
    loop->task(item, worker);
    lock.lock();
    if (++loop->done == loop->items) {
      // Notified under the lock: the waiting thread owns the loop and may end it at once.
      loop->all_done.notify_one();
      loop->finished.store(true, std::memory_order_release);
    }
  }
}

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads <= 0) threads = std::max(1u, std::thread::hardware_concurrency());
  for (int worker = 0; worker < threads; ++worker) {
    state_->workers.emplace_back([state = state_.get(), worker] { state->Work(worker); });
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->work.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

int ThreadPool::threads() const { return static_cast<int>(state_->workers.size()); }

void ThreadPool::ParallelFor(int64_t items, absl::FunctionRef<void(int64_t, int)> task) {
  if (items <= 0) return;
  Loop loop{.task = task, .items = items};
  {
    std::lock_guard lock(state_->mutex);
    state_->Push(&loop);
    state_->open_loops.fetch_add(1, std::memory_order_relaxed);
  }
  if (items == 1) {
    state_->work.notify_one();
  } else {
    state_->work.notify_all();
  }
  const auto until = std::chrono::steady_clock::now() + kSpin;
  while (!loop.finished.load(std::memory_order_acquire) &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  std::unique_lock lock(state_->mutex);
  loop.all_done.wait(lock, [&] { return loop.done == loop.items; });
}

}  // namespace aisivi
