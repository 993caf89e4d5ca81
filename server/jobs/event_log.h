// The events of one fit, for any number of watchers.
//
// A bounded ring of the newest events. A watcher holds a cursor (the sequence number it saw last)
// and asks for the next event whenever it can take one; one that fell behind the ring gets the
// newest event instead of those it missed. So a slow watcher costs nothing and holds nobody up.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "aisivi/v1/fit_service.pb.h"

namespace aisivi::server {

// Thread safety: all methods may be called at once. Listeners are called on the appending thread,
// without locks held; one may still be called shortly after it was removed.
class EventLog {
 public:
  using Event = std::shared_ptr<const v1::WatchFitResponse>;
  static constexpr int kCapacity = 256;

  // `first_sequence`: of the first event, at least 1.
  explicit EventLog(int64_t first_sequence = 1) : next_sequence_(first_sequence) {}

  // Appends an event and gives it its sequence number. Nothing is taken after the one that carries
  // the fit, which is the last.
  void Append(v1::WatchFitResponse event);
  // No more events will come although the fit has not ended (the server stops).
  void Close();

  // Where a watcher that saw `after_sequence` last begins to read: after a gap at the oldest event
  // that is retained; at the last event when the log has ended; at the beginning when the number is
  // one that was never given out.
  int64_t StartCursor(int64_t after_sequence) const;
  // The next event after `cursor`, or null when there is none yet.
  Event Next(int64_t cursor) const;
  int64_t last_sequence() const;
  bool closed() const;

  int64_t AddListener(std::function<void()> listener);
  void RemoveListener(int64_t id);

 private:
  using Listener = std::shared_ptr<const std::function<void()>>;

  void Notify();

  mutable std::mutex mutex_;
  std::deque<Event> events_;  // consecutive sequence numbers
  int64_t next_sequence_;
  bool ended_ = false;
  bool closed_ = false;
  std::map<int64_t, Listener> listeners_;
  int64_t next_listener_ = 1;
};

}  // namespace aisivi::server
