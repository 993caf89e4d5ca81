#include "server/services/watch_reactor.h"

#include <mutex>
#include <utility>

#include "server/status.h"

namespace aisivi::server {
namespace {

using Reactor = grpc::ServerWriteReactor<v1::WatchFitResponse>;

class WatchReactor : public Reactor, public std::enable_shared_from_this<WatchReactor> {
 public:
  WatchReactor(std::shared_ptr<EventLog> log, int64_t after_sequence)
      : log_(std::move(log)), cursor_(log_->StartCursor(after_sequence)) {}

  void Start() {
    self_ = shared_from_this();
    // The log may call a listener after its removal, when the reactor is gone.
    const int64_t listener = log_->AddListener([weak = weak_from_this()] {
      if (const std::shared_ptr<WatchReactor> reactor = weak.lock()) reactor->Proceed();
    });
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      listener_ = listener;
    }
    Proceed();
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      writing_ = false;
      if (!ok) cancelled_ = true;
    }
    Proceed();
  }

  void OnCancel() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      cancelled_ = true;
    }
    Proceed();
  }

  void OnDone() override {
    int64_t listener;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      listener = listener_;
    }
    log_->RemoveListener(listener);
    const std::shared_ptr<WatchReactor> last = std::move(self_);
  }

 private:
  // Does the next thing there is to do, if any: a write, or the end.
  void Proceed() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (writing_ || finished_) return;
    if (cancelled_) {
      End(grpc::Status(grpc::StatusCode::CANCELLED, "the client has left"));
      return;
    }
    if (event_ != nullptr && event_->has_fit()) {
      End(grpc::Status::OK);
      return;
    }
    EventLog::Event next = log_->Next(cursor_);
    if (next != nullptr) {
      event_ = std::move(next);
      cursor_ = event_->sequence();
      writing_ = true;
      StartWrite(event_.get());
    } else if (log_->closed()) {
      End(ToGrpcStatus(ShuttingDown("; the fit is kept and runs when it is up again")));
    }
  }

  void End(const grpc::Status& status) {
    finished_ = true;
    Finish(status);
  }

  const std::shared_ptr<EventLog> log_;
  std::shared_ptr<WatchReactor> self_;  // until OnDone
  std::mutex mutex_;
  int64_t listener_ = 0;
  int64_t cursor_;
  EventLog::Event event_;  // the one being written
  bool writing_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
};

class RefusedWatch : public Reactor {
 public:
  explicit RefusedWatch(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

Reactor* StartWatch(std::shared_ptr<EventLog> log, int64_t after_sequence) {
  const auto reactor = std::make_shared<WatchReactor>(std::move(log), after_sequence);
  reactor->Start();
  return reactor.get();
}

Reactor* RefuseWatch(const absl::Status& status) { return new RefusedWatch(status); }

}  // namespace aisivi::server
