// Client::Watch: following a fit across broken connections.
#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/client.h"
#include "client/status.h"

namespace aisivi {
namespace {

bool HasEnded(const v1::Fit& fit) {
  return fit.state() == v1::Fit::STATE_SUCCEEDED || fit.state() == v1::Fit::STATE_FAILED ||
         fit.state() == v1::Fit::STATE_CANCELLED;
}

// The reason with which a server that is told to end takes leave.
constexpr char kShuttingDown[] = "SHUTTING_DOWN";

// Waits, but not after a request to stop.
void Pause(absl::Duration duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, absl::ToChronoMilliseconds(duration), [] { return false; });
}

}  // namespace

// One connection. Returns whether the fit's last event has come; the error when it broke.
absl::StatusOr<bool> Client::WatchOnce(
    const std::string& name, const std::function<void(const v1::WatchFitResponse&)>& on_event,
    const std::stop_token& stop, int64_t* sequence, v1::Fit* last) const {
  v1::WatchFitRequest request;
  request.set_name(name);
  request.set_after_sequence(*sequence);
  grpc::ClientContext context;
  const std::stop_callback on_stop(stop, [&context] { context.TryCancel(); });
  std::unique_ptr<grpc::ClientReader<v1::WatchFitResponse>> reader =
      fits_->WatchFit(&context, request);
  v1::WatchFitResponse event;
  bool ended = false;
  while (reader->Read(&event)) {
    *sequence = event.sequence();
    if (on_event) on_event(event);
    if (event.has_fit()) {
      *last = event.fit();
      ended = true;
    }
  }
  const absl::Status status = FromGrpcStatus(reader->Finish());
  if (ended || status.ok()) return ended;
  // What becomes of calls that reach a server while it ends; it may come back.
  if (absl::IsCancelled(status) && !stop.stop_requested()) {
    return absl::UnavailableError("the server has ended the stream");
  }
  return status;
}

absl::StatusOr<v1::Fit> Client::Watch(
    const std::string& name, const std::function<void(const v1::WatchFitResponse&)>& on_event,
    const WatchOptions& options) const {
  constexpr absl::Duration kShortest = absl::Milliseconds(100), kLongest = absl::Seconds(2);
  int64_t sequence = options.after_sequence;
  absl::Duration pause = kShortest;
  absl::Time broken_since = absl::InfiniteFuture();
  while (true) {
    const int64_t before = sequence;
    v1::Fit last;
    absl::StatusOr<bool> ended = WatchOnce(name, on_event, options.stop, &sequence, &last);
    if (ended.ok() && *ended) return last;
    if (options.stop.stop_requested()) {
      return absl::CancelledError(absl::StrCat("stopped watching ", name));
    }
    if (!ended.ok() && !absl::IsUnavailable(ended.status())) return ended.status();
    // No accident: nothing will answer until someone starts a server again.
    if (ErrorReason(ended.status()) == kShuttingDown) return ended.status();
    if (ended.ok()) {
      // A stream that ends well without the last event may have had nothing new to tell.
      absl::StatusOr<v1::Fit> fit = GetFit(name);
      if (fit.ok() && HasEnded(*fit)) return fit;
    }
    if (sequence != before) {
      pause = kShortest;
      broken_since = absl::InfiniteFuture();
    }
    broken_since = std::min(broken_since, absl::Now());
    if (absl::Now() - broken_since >= options.patience) {
      return ended.ok() ? absl::UnavailableError("the stream keeps breaking") : ended.status();
    }
    Pause(pause, options.stop);
    pause = std::min(2 * pause, kLongest);
  }
}

}  // namespace aisivi
