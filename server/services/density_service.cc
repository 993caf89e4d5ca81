#include "server/services/density_service.h"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "server/status.h"

namespace aisivi::server {
namespace {

using Request = v1::ServeDensityRequest;
using Response = v1::ServeDensityResponse;
using Reactor = grpc::ServerBidiReactor<Request, Response>;

// One stream. Its own lock comes after the broker's: it is never held when the broker is called.
class DensityReactor final : public Reactor, public DensityOutlet {
 public:
  DensityReactor(grpc::CallbackServerContext* context, DensityBroker* broker)
      : context_(context), broker_(broker) {
    absl::StatusOr<DensityBroker::StreamPtr> stream = broker_->Join(this);
    if (!stream.ok()) {
      finished_ = true;
      Finish(ToGrpcStatus(stream.status()));
      return;
    }
    stream_ = *std::move(stream);
    Read();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Close();
    broker_->Take(stream_, std::move(request_));
    Read();
  }
  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      writing_.reset();
    }
    if (!ok) Close();
    const std::lock_guard<std::mutex> lock(mutex_);
    Proceed();
  }
  void OnCancel() override { Close(); }
  void OnDone() override {
    if (stream_ != nullptr) broker_->Leave(stream_);
    delete this;
  }

  void Send(std::shared_ptr<const Response> message) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(message));
    Proceed();
  }
  void End(std::shared_ptr<const Response> last, const absl::Status& status) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.clear();
    queue_.push_back(std::move(last));
    end_ = status;
    Proceed();
  }
  void Abort() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!finished_) context_->TryCancel();
  }

 private:
  void Close() {
    if (stream_ != nullptr) broker_->Close(stream_);
  }
  // The next message, unless the stream is over: no operation may follow its end.
  void Read() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (finished_) return;
    request_.Clear();
    StartRead(&request_);
  }
  // Does the next thing there is to do, if any: a write, or the end.
  void Proceed() {
    if (writing_ != nullptr || finished_) return;
    if (!queue_.empty() && !context_->IsCancelled()) {
      writing_ = std::move(queue_.front());
      queue_.pop_front();
      StartWrite(writing_.get());
    } else if (end_.has_value()) {
      finished_ = true;
      Finish(ToGrpcStatus(*end_));
    }
  }

  grpc::CallbackServerContext* const context_;
  DensityBroker* const broker_;
  DensityBroker::StreamPtr stream_;
  Request request_;   // the one being read
  std::mutex mutex_;  // guards what follows
  std::deque<std::shared_ptr<const Response>> queue_;
  std::shared_ptr<const Response> writing_;
  std::optional<absl::Status> end_;
  bool finished_ = false;
};

}  // namespace

Reactor* DensityServiceImpl::ServeDensity(grpc::CallbackServerContext* context) {
  return new DensityReactor(context, broker_);
}

}  // namespace aisivi::server
