// RPCs whose answers are computed by HeavyWork: no thread waits for them, and gRPC's notice that
// the client has left (or its deadline has passed) becomes the engine's cancel flag.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/services/heavy_work.h"
#include "server/status.h"

namespace aisivi::server {

// What both kinds of RPC have in common. Reactor: a server reactor of gRPC with a Finish().
template <typename Reactor>
class HeavyReactor : public Reactor {
 public:
  void OnCancel() override {
    cancelled_ = true;
    if (work_->Withdraw(stretch_.get())) End(absl::OkStatus());
  }
  void OnDone() override {
    if (entered_) work_->Leave();
    delete this;
  }

 protected:
  explicit HeavyReactor(HeavyWork* work)
      : work_(work),
        stretch_(std::make_shared<HeavyWork::Stretch>(HeavyWork::Stretch{[this] { Run(); }})) {}
  ~HeavyReactor() override = default;

  void Enter() {
    // Set first: once it is queued, the RPC may end at any time.
    entered_ = true;
    const absl::Status status = work_->Enter(stretch_);
    if (status.ok()) return;
    entered_ = false;
    this->Finish(ToGrpcStatus(status));
  }
  void Continue() { work_->Continue(stretch_); }

  // The last call of a stretch that ends the RPC: afterwards this may be gone.
  void End(const absl::Status& status) {
    this->Finish(
        ToGrpcStatus(cancelled_.load() ? absl::CancelledError("the client has left") : status));
  }

  // One stretch: ends the RPC or has a reaction to come. No exception leaves.
  virtual void Run() = 0;

  const std::atomic<bool>* cancel() const { return &cancelled_; }

  // compute(cancel()), with what it throws as a status.
  template <typename Result, typename Compute>
  absl::StatusOr<Result> Try(const Compute& compute) const {
    if (cancelled_.load()) return absl::CancelledError("the client has left");
    try {
      return compute(&cancelled_);
    } catch (const std::bad_alloc&) {
      return absl::ResourceExhaustedError("the server has not enough memory for this request");
    } catch (const std::exception& error) {
      return absl::InternalError(absl::StrCat("aborted: ", error.what()));
    }
  }

 private:
  HeavyWork* const work_;
  const std::shared_ptr<const HeavyWork::Stretch> stretch_;
  std::atomic<bool> cancelled_{false};
  bool entered_ = false;
};

template <typename Response>
class HeavyUnary final : public HeavyReactor<grpc::ServerUnaryReactor> {
 public:
  using Compute = std::function<absl::StatusOr<Response>(const std::atomic<bool>* cancel)>;

  HeavyUnary(HeavyWork* work, Response* response, Compute compute)
      : HeavyReactor(work), response_(response), compute_(std::move(compute)) {
    Enter();
  }

 private:
  void Run() override {
    absl::StatusOr<Response> result = Try<Response>(compute_);
    if (result.ok()) *response_ = *std::move(result);
    End(result.status());
  }

  Response* const response_;
  const Compute compute_;
};

template <typename Message>
class HeavyStream final : public HeavyReactor<grpc::ServerWriteReactor<Message>> {
 public:
  // The next message, or none at the end. Called by one thread at a time.
  using Next =
      std::function<absl::StatusOr<std::optional<Message>>(const std::atomic<bool>* cancel)>;

  HeavyStream(HeavyWork* work, Next next)
      : HeavyReactor<grpc::ServerWriteReactor<Message>>(work), next_(std::move(next)) {
    this->Enter();
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      this->Continue();
    } else {
      this->End(absl::CancelledError("the client has left"));
    }
  }

 private:
  void Run() override {
    absl::StatusOr<std::optional<Message>> next = this->template Try<std::optional<Message>>(next_);
    if (!next.ok() || !next->has_value()) return this->End(next.status());
    message_ = *std::move(*next);
    this->StartWrite(&message_);
  }

  const Next next_;
  Message message_;  // the one being written
};

// Answers a unary RPC with what `compute` returns.
template <typename Response>
grpc::ServerUnaryReactor* StartHeavy(HeavyWork* work, Response* response,
                                     typename HeavyUnary<Response>::Compute compute) {
  return new HeavyUnary<Response>(work, response, std::move(compute));
}

// A stream of what `next` returns, one message at a time, as fast as the client reads.
template <typename Message>
grpc::ServerWriteReactor<Message>* StartHeavyStream(HeavyWork* work,
                                                    typename HeavyStream<Message>::Next next) {
  return new HeavyStream<Message>(work, std::move(next));
}

// Ends a unary RPC at once.
inline grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext* context,
                                        const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

// Ends a stream at once.
template <typename Message>
grpc::ServerWriteReactor<Message>* RefuseStream(const absl::Status& status) {
  class Refused final : public grpc::ServerWriteReactor<Message> {
   public:
    explicit Refused(const absl::Status& error) { this->Finish(ToGrpcStatus(error)); }
    void OnDone() override { delete this; }
  };
  return new Refused(status);
}

}  // namespace aisivi::server
