// Who answers for which density, and what they are asked.
//
// A stream is one process of a user's. It offers a density, or names one that is there, is checked
// (opening_check.h), and from then on answers batches, at most two unanswered at a time. Whoever
// evaluates a density waits here: its points are cut into batches of a size that depends on the
// density alone, batches go to the stream with the fewest unanswered, and what a stream owes when
// it ends, or has not answered by its deadline, goes to another. The first answer counts.
//
// Bounded: densities and streams by DensityLimits; batches by 8 for each call of Evaluate(), 2 MB
// each; what is written to a process by two batches and two short messages; the time of a batch by
// 8 times (deadline + patience), once it is first of its queue.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "aisivi/v1/density_service.pb.h"
#include "server/remote/batch.h"
#include "server/remote/offer.h"
#include "server/remote/opening_check.h"
#include "server/remote/remote_density.h"

namespace aisivi::server {

struct DensityLimits {
  int densities = 256;
  int streams = 1024;  // of all densities, and of those that have offered nothing yet
  absl::Duration offer_within = absl::Seconds(30);
  absl::Duration kept = absl::Minutes(1);        // a density that nobody serves
  absl::Duration end_within = absl::Seconds(1);  // a stream that is over and does not read
};

// How whoever evaluates a density waits for it.
struct DensityWait {
  // For somebody to answer at all; 0: not at all.
  absl::Duration patience = absl::ZeroDuration();
  // Ends the wait within 50 ms. May be null.
  const std::atomic<bool>* cancel = nullptr;
};

// Carries the broker's messages to one process. Its methods are called with the broker's lock held:
// they return at once and do not call the broker.
class DensityOutlet {
 public:
  virtual ~DensityOutlet() = default;
  virtual void Send(std::shared_ptr<const v1::ServeDensityResponse> message) = 0;
  // After `last`, the stream is over. What waits to be written before it may be left out.
  virtual void End(std::shared_ptr<const v1::ServeDensityResponse> last,
                   const absl::Status& status) = 0;
  // The process does not read: ends it without.
  virtual void Abort() = 0;
};

// Thread safety: all methods may be called at once, but those of one stream by one thread at a
// time.
class DensityBroker {
 public:
  class Stream;
  using StreamPtr = std::shared_ptr<Stream>;

  explicit DensityBroker(const DensityLimits& limits = {});
  // All outlets leave, and nobody evaluates any more.
  ~DensityBroker();
  DensityBroker(const DensityBroker&) = delete;
  DensityBroker& operator=(const DensityBroker&) = delete;

  // A process has come. The outlet must live until Leave(). RESOURCE_EXHAUSTED, UNAVAILABLE.
  absl::StatusOr<StreamPtr> Join(DensityOutlet* outlet);
  // It has said something, which may end its stream.
  void Take(const StreamPtr& stream, v1::ServeDensityRequest request);
  // It will say nothing more, or is gone: ends its stream.
  void Close(const StreamPtr& stream, const absl::Status& status = absl::OkStatus());
  // The outlet goes.
  void Leave(const StreamPtr& stream);

  // NOT_FOUND at `field` when nobody serves it or has within the last minute.
  absl::StatusOr<std::shared_ptr<const RemoteDensity>> Find(absl::string_view field,
                                                            const std::string& name) const;

  // log p(x), and ∂ log p/∂x unless null, at the columns of x (V×N, finite). UNAVAILABLE when
  // nobody answers for as long as wait.patience, or 8 streams could not answer a batch; ABORTED
  // with what a process says; CANCELLED.
  absl::Status Evaluate(const RemoteDensity& density, const Eigen::Ref<const Eigen::MatrixXd>& x,
                        const DensityWait& wait, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score);

  // Ends all streams with UNAVAILABLE, and all waits. Idempotent.
  void Shutdown();

 private:
  struct Density;
  using DensityPtr = std::shared_ptr<Density>;
  using BatchPtr = std::shared_ptr<Batch>;
  class Evaluation;

  // All with mutex_ held.
  absl::Status TakeOffer(const StreamPtr& stream, Offer offer);
  // `wake` is to be told once the lock is let go, unless it is null.
  absl::Status TakeAnswer(const StreamPtr& stream, v1::BatchAnswer answer,
                          std::shared_ptr<std::condition_variable>* wake);
  absl::Status TakeCheckAnswer(const StreamPtr& stream, const Batch& batch);
  absl::Status Accept(const StreamPtr& stream);
  absl::Status FindNamed(const Offer& offer, DensityPtr* density) const;
  void SendNextCheck(const StreamPtr& stream);
  void SendTo(const StreamPtr& stream, const BatchPtr& batch);
  void Dispatch(Density& density);
  void End(const StreamPtr& stream, const absl::Status& status);
  void GiveBack(const BatchPtr& batch, const absl::Status& why, Density* density);
  static void WakeAll(const Density& density);
  void WakeBy(absl::Time due);

  void TimerLoop();
  absl::Time EndWhatIsDue(absl::Time now);

  const DensityLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable timer_;                // wake_ or stopping_ changed
  std::map<std::string, DensityPtr> densities_;  // by name
  std::set<StreamPtr> streams_;
  std::atomic<int64_t> last_batch_ = 0;
  absl::Time wake_ = absl::InfiniteFuture();
  bool stopping_ = false;
  std::thread timer_thread_;
};

}  // namespace aisivi::server
