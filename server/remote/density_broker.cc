#include "server/remote/density_broker.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/remote/density_name.h"
#include "server/remote/parameters.h"
#include "server/status.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

constexpr size_t kMostUnanswered = 2;  // of a stream
constexpr int kMostSends = 8;          // of a batch
constexpr size_t kMostUnderWay = 8;    // batches of an evaluation
// Answered ones that a stream may answer again without harm.
constexpr size_t kRemembered = 1024;
constexpr std::chrono::milliseconds kLook(50);  // between looks at a cancel flag
constexpr size_t kMostErrorBytes = 400;

std::shared_ptr<const v1::ServeDensityResponse> LastMessage(const absl::Status& status) {
  auto message = std::make_shared<v1::ServeDensityResponse>();
  message->mutable_end()->set_reason(
      status.ok() ? "the process ended the stream"
                  : Shortened(std::string(status.message()), kMostErrorBytes));
  return message;
}

absl::Status Late(absl::string_view what, absl::Duration within) {
  return absl::DeadlineExceededError(
      absl::StrCat(what, " did not come within ", absl::FormatDuration(within)));
}

// What a process says, as a text for people.
std::string Printable(absl::string_view text) {
  std::string result = Shortened(text, kMostErrorBytes);
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return HasControlCharacters(result) ? Quoted(text) : result;
}

}  // namespace

struct DensityBroker::Density {
  explicit Density(RemoteDensity density) : is(std::move(density)) {}

  RemoteDensity is;
  std::vector<StreamPtr> streams;  // that serve it
  std::deque<BatchPtr> queue;
  std::set<const Evaluation*> evaluations;  // that wait
  absl::Time unserved_since = absl::InfiniteFuture();
};

class DensityBroker::Stream {
 public:
  enum class State { kJoined, kOpening, kServing, kEnded };
  struct Asked {
    BatchPtr batch;
    absl::Time due;
    size_t check;  // of the opening, its number there
  };

  explicit Stream(DensityOutlet* to) : outlet(to) {}

  DensityOutlet* outlet;  // null once it has left
  State state = State::kJoined;
  DensityPtr density;  // from its offer on; a new one is known to nobody until it is accepted
  absl::Duration deadline = absl::ZeroDuration();
  std::vector<Asked> unanswered;
  std::deque<int64_t> settled;  // ids, the newest last
  std::unique_ptr<OpeningCheck> check;
  size_t checks_sent = 0, checks_answered = 0;
  absl::Time due = absl::InfiniteFuture();  // of the offer or, once over, of its end
};

// The batches of one call of Evaluate(); they are forgotten when it goes.
class DensityBroker::Evaluation {
 public:
  // With the broker's lock held, like all methods but MakeNext().
  Evaluation(DensityBroker* broker, DensityPtr density, const Eigen::Ref<const Eigen::MatrixXd>& x,
             bool score)
      : broker_(broker), density_(std::move(density)), x_(x), score_(score) {
    density_->evaluations.insert(this);
  }
  ~Evaluation() {
    density_->evaluations.erase(this);
    for (const auto& [batch, first] : under_way_) {
      if (batch->state == Batch::State::kWaiting) {
        std::deque<BatchPtr>& queue = density_->queue;
        queue.erase(std::find(queue.begin(), queue.end(), batch));
      }
      batch->state = Batch::State::kAbandoned;
    }
  }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  bool has_next() const { return next_ < x_.cols() && under_way_.size() < kMostUnderWay; }
  // The next batch that Ask() takes. Without the lock: it copies its points.
  BatchPtr MakeNext() const {
    const int64_t count = std::min(PointsPerBatch(x_.rows()), x_.cols() - next_);
    BatchPtr batch =
        MakeBatch(++broker_->last_batch_, x_.middleCols(next_, count), score_, /*check=*/false);
    batch->waiter = changed;
    return batch;
  }
  void Ask(BatchPtr batch) {
    under_way_.emplace_back(batch, next_);
    next_ += batch->points;
    density_->queue.push_back(std::move(batch));
    broker_->Dispatch(*density_);
  }
  bool done() const { return under_way_.empty(); }
  const Batch& front() const { return *under_way_.front().first; }
  // Its first column, as it goes.
  std::pair<BatchPtr, int64_t> TakeFront() {
    std::pair<BatchPtr, int64_t> front = std::move(under_way_.front());
    under_way_.pop_front();
    return front;
  }

  // A batch was answered or failed, or the density lost its last stream.
  const std::shared_ptr<std::condition_variable> changed =
      std::make_shared<std::condition_variable>();

 private:
  DensityBroker* const broker_;
  const DensityPtr density_;
  const Eigen::Ref<const Eigen::MatrixXd>& x_;
  const bool score_;
  std::deque<std::pair<BatchPtr, int64_t>> under_way_;
  int64_t next_ = 0;
};

DensityBroker::DensityBroker(const DensityLimits& limits)
    : limits_(limits), timer_thread_([this] { TimerLoop(); }) {}

DensityBroker::~DensityBroker() {
  Shutdown();
  timer_thread_.join();
}

absl::StatusOr<DensityBroker::StreamPtr> DensityBroker::Join(DensityOutlet* outlet) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stopping_) return ShuttingDown();
  if (static_cast<int>(streams_.size()) >= limits_.streams) {
    return LimitExceeded("TOO_MANY_STREAMS", "offer",
                         absl::StrCat(limits_.streams, " processes serve densities already"),
                         limits_.streams);
  }
  auto stream = std::make_shared<Stream>(outlet);
  stream->due = absl::Now() + limits_.offer_within;
  WakeBy(stream->due);
  streams_.insert(stream);
  return stream;
}

void DensityBroker::Take(const StreamPtr& stream, v1::ServeDensityRequest request) {
  absl::StatusOr<Offer> offer = absl::UnknownError("");
  // Without the lock: a large offer takes a moment.
  if (request.has_offer()) offer = ReadOffer(request.offer());
  std::shared_ptr<std::condition_variable> wake;
  std::unique_lock<std::mutex> lock(mutex_);
  if (stream->state == Stream::State::kEnded) return;
  absl::Status status;
  if (request.has_offer()) {
    status = stream->state != Stream::State::kJoined
                 ? FieldError("offer", "comes in the first message only")
                 : (offer.ok() ? TakeOffer(stream, *std::move(offer)) : offer.status());
  } else if (request.has_answer()) {
    status = stream->state == Stream::State::kJoined
                 ? FieldError("offer", "is required in the first message")
                 : TakeAnswer(stream, std::move(*request.mutable_answer()), &wake);
  } else {
    status = FieldError(stream->state == Stream::State::kJoined ? "offer" : "answer",
                        "is required: the message is empty");
  }
  if (!status.ok()) End(stream, status);
  lock.unlock();
  if (wake != nullptr) wake->notify_one();
}

absl::Status DensityBroker::FindNamed(const Offer& offer, DensityPtr* density) const {
  const auto found = densities_.find(offer.density.name);
  if (found == densities_.end()) return DensityNotFound("offer.density", offer.density.name);
  const RemoteDensity& there = found->second->is;
  if (!SameParameters(there.map, offer.density.map)) {
    return NotAllowed("OTHER_PARAMETERS", "offer.parameters",
                      "are not those of the density that is named");
  }
  if (there.unnormalised != offer.density.unnormalised) {
    return NotAllowed("OTHER_PARAMETERS", "offer.unnormalised",
                      "is not that of the density that is named");
  }
  *density = found->second;
  return absl::OkStatus();
}

absl::Status DensityBroker::TakeOffer(const StreamPtr& stream, Offer offer) {
  if (!offer.density.name.empty()) {
    if (absl::Status s = FindNamed(offer, &stream->density); !s.ok()) return s;
  } else {
    stream->density = std::make_shared<Density>(std::move(offer.density));
  }
  stream->deadline = offer.deadline;
  stream->due = absl::InfiniteFuture();
  stream->state = Stream::State::kOpening;
  stream->check = std::make_unique<OpeningCheck>(stream->density->is, offer.check);
  SendNextCheck(stream);
  return absl::OkStatus();
}

void DensityBroker::SendNextCheck(const StreamPtr& stream) {
  const size_t number = stream->checks_sent++;
  const BatchPtr batch = MakeBatch(++last_batch_, stream->check->points(number),
                                   stream->check->score(number), /*check=*/true);
  SendTo(stream, batch);
  stream->unanswered.back().check = number;
}

absl::Status DensityBroker::TakeAnswer(const StreamPtr& stream, v1::BatchAnswer answer,
                                       std::shared_ptr<std::condition_variable>* wake) {
  const auto asked =
      std::find_if(stream->unanswered.begin(), stream->unanswered.end(),
                   [&](const Stream::Asked& one) { return one.batch->id == answer.id(); });
  if (asked == stream->unanswered.end()) {
    const std::deque<int64_t>& settled = stream->settled;
    if (std::find(settled.begin(), settled.end(), answer.id()) != settled.end()) {
      return absl::OkStatus();  // a second answer
    }
    return FieldError("answer.id",
                      absl::StrCat("no batch ", answer.id(), " was sent by this stream"));
  }
  const BatchPtr batch = asked->batch;
  if (absl::Status s = CheckAnswer(*batch, answer); !s.ok()) return s;
  stream->unanswered.erase(asked);
  stream->settled.push_back(batch->id);
  if (stream->settled.size() > kRemembered) stream->settled.pop_front();
  const bool failed = !answer.error().empty();
  const std::string error = Printable(answer.error());
  if (failed && batch->check) return FieldError("answer.error", error);
  if (batch->state == Batch::State::kSent) {
    batch->answer = std::move(answer);
    batch->state = failed ? Batch::State::kFailed : Batch::State::kAnswered;
    if (failed) batch->failure = absl::AbortedError(absl::StrCat("the density: ", error));
    *wake = batch->waiter;
  }
  if (batch->check) return TakeCheckAnswer(stream, *batch);
  Dispatch(*stream->density);
  return absl::OkStatus();
}

absl::Status DensityBroker::TakeCheckAnswer(const StreamPtr& stream, const Batch& batch) {
  // They are sent one at a time.
  stream->check->Take(stream->checks_answered++, batch);
  if (stream->checks_answered < stream->check->batches()) {
    SendNextCheck(stream);
    return absl::OkStatus();
  }
  if (absl::Status s = stream->check->Result(); !s.ok()) return s;
  stream->check.reset();
  return Accept(stream);
}

absl::Status DensityBroker::Accept(const StreamPtr& stream) {
  Density& density = *stream->density;
  if (density.is.name.empty()) {
    if (static_cast<int>(densities_.size()) >= limits_.densities) {
      return LimitExceeded("TOO_MANY_DENSITIES", "offer",
                           absl::StrCat(limits_.densities, " densities are served already"),
                           limits_.densities);
    }
    density.is.name = NewDensityName();
    densities_[density.is.name] = stream->density;
  } else if (densities_.count(density.is.name) == 0) {
    return DensityNotFound("offer.density", density.is.name);  // it went meanwhile
  }
  density.streams.push_back(stream);
  density.unserved_since = absl::InfiniteFuture();
  stream->state = Stream::State::kServing;
  auto message = std::make_shared<v1::ServeDensityResponse>();
  message->mutable_accepted()->set_density(density.is.name);
  message->mutable_accepted()->set_dimension(static_cast<int>(density.is.map.unconstrained()));
  message->mutable_accepted()->set_values(static_cast<int>(density.is.map.constrained()));
  stream->outlet->Send(std::move(message));
  Dispatch(density);
  return absl::OkStatus();
}

void DensityBroker::SendTo(const StreamPtr& stream, const BatchPtr& batch) {
  const auto before = static_cast<double>(stream->unanswered.size());
  const absl::Time due = absl::Now() + (before + 1) * stream->deadline;
  batch->state = Batch::State::kSent;
  ++batch->sends;
  stream->unanswered.push_back({batch, due, 0});
  WakeBy(due);
  stream->outlet->Send(batch->message);
}

void DensityBroker::Dispatch(Density& density) {
  while (!density.queue.empty()) {
    const auto idlest = std::min_element(density.streams.begin(), density.streams.end(),
                                         [](const StreamPtr& a, const StreamPtr& b) {
                                           return a->unanswered.size() < b->unanswered.size();
                                         });
    if (idlest == density.streams.end() || (*idlest)->unanswered.size() >= kMostUnanswered) return;
    const BatchPtr batch = std::move(density.queue.front());
    density.queue.pop_front();
    SendTo(*idlest, batch);
  }
}

void DensityBroker::GiveBack(const BatchPtr& batch, const absl::Status& why, Density* density) {
  if (batch->state != Batch::State::kSent || batch->check) return;
  if (batch->sends < kMostSends) {
    batch->state = Batch::State::kWaiting;
    density->queue.push_front(batch);
    return;
  }
  batch->state = Batch::State::kFailed;
  batch->failure = absl::UnavailableError(absl::StrCat(
      "target: a batch was sent ", kMostSends,
      " times in vain; at last: ", why.ok() ? "the process went" : std::string(why.message())));
}

void DensityBroker::End(const StreamPtr& stream, const absl::Status& status) {
  if (stream->state == Stream::State::kEnded) return;
  stream->state = Stream::State::kEnded;
  if (stream->outlet != nullptr) {
    stream->due = absl::Now() + limits_.end_within;
    WakeBy(stream->due);
    stream->outlet->End(LastMessage(status), status);
  }
  const std::vector<Stream::Asked> owed = std::move(stream->unanswered);
  stream->unanswered.clear();
  stream->check.reset();
  if (stream->density == nullptr) return;
  Density& density = *stream->density;
  const auto serving = std::find(density.streams.begin(), density.streams.end(), stream);
  if (serving != density.streams.end()) {
    density.streams.erase(serving);
    if (density.streams.empty()) {
      density.unserved_since = absl::Now();
      WakeBy(density.unserved_since + limits_.kept);
    }
  }
  // The oldest is first again.
  for (auto asked = owed.rbegin(); asked != owed.rend(); ++asked) {
    GiveBack(asked->batch, status, &density);
  }
  Dispatch(density);
  WakeAll(density);
}

void DensityBroker::WakeAll(const Density& density) {
  for (const Evaluation* evaluation : density.evaluations) evaluation->changed->notify_one();
}

void DensityBroker::Close(const StreamPtr& stream, const absl::Status& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  End(stream, status);
}

void DensityBroker::Leave(const StreamPtr& stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  stream->outlet = nullptr;
  End(stream, absl::OkStatus());
  streams_.erase(stream);
  if (stopping_) timer_.notify_all();
}

absl::StatusOr<std::shared_ptr<const RemoteDensity>> DensityBroker::Find(
    absl::string_view field, const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = densities_.find(name);
  if (found == densities_.end()) return DensityNotFound(field, name);
  return std::shared_ptr<const RemoteDensity>(found->second, &found->second->is);
}

absl::Status DensityBroker::Evaluate(const RemoteDensity& density,
                                     const Eigen::Ref<const Eigen::MatrixXd>& x,
                                     const DensityWait& wait, Eigen::VectorXd* log_density,
                                     Eigen::MatrixXd* score) {
  log_density->resize(x.cols());
  if (score != nullptr) score->resize(x.rows(), x.cols());
  std::unique_lock<std::mutex> lock(mutex_);
  const auto found = densities_.find(density.name);
  if (found == densities_.end()) {
    return absl::UnavailableError("target: nobody serves its density");
  }
  const DensityPtr asked = found->second;
  const absl::Time began = absl::Now();
  Evaluation evaluation(this, asked, x, score != nullptr);
  while (true) {
    // Copies of points and answers are made without the lock: others are served meanwhile.
    while (evaluation.has_next()) {
      lock.unlock();
      BatchPtr batch = evaluation.MakeNext();
      lock.lock();
      evaluation.Ask(std::move(batch));
    }
    if (evaluation.done()) return absl::OkStatus();
    const Batch& front = evaluation.front();
    while (front.state == Batch::State::kWaiting || front.state == Batch::State::kSent) {
      if (wait.cancel != nullptr && wait.cancel->load()) {
        return absl::CancelledError("cancelled while the density was asked");
      }
      if (stopping_) return absl::UnavailableError("target: the server is shutting down");
      const absl::Time since = std::max(began, asked->unserved_since);
      if (asked->streams.empty() && absl::Now() - since >= wait.patience) {
        return absl::UnavailableError(
            absl::StrCat("target: nobody has answered for its density for ",
                         absl::FormatDuration(wait.patience)));
      }
      evaluation.changed->wait_for(lock, kLook);
    }
    if (front.state == Batch::State::kFailed) return front.failure;
    const auto [batch, first] = evaluation.TakeFront();
    lock.unlock();
    ReadAnswer(*batch, log_density->segment(first, batch->points), score, first);
    lock.lock();
  }
}

void DensityBroker::Shutdown() {
  const std::lock_guard<std::mutex> lock(mutex_);
  stopping_ = true;
  for (const StreamPtr& stream : std::vector<StreamPtr>(streams_.begin(), streams_.end())) {
    End(stream, ShuttingDown("; its densities are forgotten"));
  }
  for (const auto& [name, density] : densities_) WakeAll(*density);
  densities_.clear();
  timer_.notify_all();
}

void DensityBroker::WakeBy(absl::Time due) {
  if (due >= wake_) return;
  wake_ = due;
  timer_.notify_all();
}

absl::Time DensityBroker::EndWhatIsDue(absl::Time now) {
  absl::Time next = absl::InfiniteFuture();
  for (const StreamPtr& stream : std::vector<StreamPtr>(streams_.begin(), streams_.end())) {
    if (stream->state == Stream::State::kEnded && stream->due <= now) {
      if (stream->outlet != nullptr) stream->outlet->Abort();
      stream->due = absl::InfiniteFuture();
    } else if (stream->due <= now) {
      End(stream, Late("the offer", limits_.offer_within));
    }
    absl::Time due = stream->due;
    for (const Stream::Asked& asked : stream->unanswered) due = std::min(due, asked.due);
    if (due <= now) End(stream, Late("an answer", stream->deadline));
    next = std::min(next, due <= now ? stream->due : due);
  }
  for (auto it = densities_.begin(); it != densities_.end();) {
    const Density& density = *it->second;
    const absl::Time due = density.unserved_since + limits_.kept;
    if (density.evaluations.empty() && due <= now) {
      it = densities_.erase(it);
      continue;
    }
    // What waits for one tells no one when it gives up.
    if (density.streams.empty()) next = std::min(next, std::max(due, now + limits_.end_within));
    ++it;
  }
  return next;
}

void DensityBroker::TimerLoop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_ || !streams_.empty()) {
    const absl::Time now = absl::Now();
    if (now < wake_) {
      const absl::Duration pause = std::min(wake_ - now, absl::Hours(1));
      timer_.wait_for(lock, absl::ToChronoMilliseconds(pause) + std::chrono::milliseconds(1));
      continue;
    }
    wake_ = absl::InfiniteFuture();
    const absl::Time next = EndWhatIsDue(now);
    wake_ = std::min(wake_, next);
  }
}

}  // namespace aisivi::server
