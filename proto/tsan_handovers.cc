// For ThreadSanitizer builds: where the system's gRPC hands memory from thread to thread.
//
// gRPC and Abseil are not instrumented, so that ThreadSanitizer does not see their locks and
// queues, and would take what one thread of gRPC leaves to another for a race. The functions below
// stand before those of the libraries, do the same, and say so: a lock is acquired and released,
// and a batch of operations happens before its completion. Linked into whatever links aisivi_proto.
#include <dlfcn.h>
#include <grpc/grpc.h>

#include "absl/synchronization/mutex.h"

extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);

namespace {

// The function of the libraries whose place `own` has taken.
template <typename Function>
Function Next(void* own) {
  Dl_info info;
  dladdr(own, &info);
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, info.dli_sname));
}

}  // namespace

#pragma GCC diagnostic ignored "-Wpmf-conversions"

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  static void (*const next)(Mutex*) = Next<void (*)(Mutex*)>((void*)(&Mutex::Lock));
  next(this);
  __tsan_acquire(this);
}

bool Mutex::TryLock() {
  static bool (*const next)(Mutex*) = Next<bool (*)(Mutex*)>((void*)(&Mutex::TryLock));
  const bool locked = next(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::Unlock() {
  static void (*const next)(Mutex*) = Next<void (*)(Mutex*)>((void*)(&Mutex::Unlock));
  __tsan_release(this);
  next(this);
}

// What waits for a condition gives the lock back meanwhile.
void CondVar::Wait(Mutex* mutex) {
  static void (*const next)(CondVar*, Mutex*) =
      Next<void (*)(CondVar*, Mutex*)>((void*)(&CondVar::Wait));
  __tsan_release(mutex);
  next(this, mutex);
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static bool (*const next)(CondVar*, Mutex*, Duration) =
      Next<bool (*)(CondVar*, Mutex*, Duration)>((void*)(&CondVar::WaitWithTimeout));
  __tsan_release(mutex);
  const bool timed_out = next(this, mutex, timeout);
  __tsan_acquire(mutex);
  return timed_out;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static bool (*const next)(CondVar*, Mutex*, Time) =
      Next<bool (*)(CondVar*, Mutex*, Time)>((void*)(&CondVar::WaitWithDeadline));
  __tsan_release(mutex);
  const bool timed_out = next(this, mutex, deadline);
  __tsan_acquire(mutex);
  return timed_out;
}

ABSL_NAMESPACE_END
}  // namespace absl

extern "C" grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t nops,
                                                 void* tag, void* reserved) {
  static const auto next = Next<decltype(&grpc_call_start_batch)>((void*)(&grpc_call_start_batch));
  __tsan_release(tag);
  return next(call, ops, nops, tag, reserved);
}

extern "C" grpc_event grpc_completion_queue_next(grpc_completion_queue* queue,
                                                 gpr_timespec deadline, void* reserved) {
  static const auto next =
      Next<decltype(&grpc_completion_queue_next)>((void*)(&grpc_completion_queue_next));
  const grpc_event event = next(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}
