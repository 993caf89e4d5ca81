// A density of three numbers, and processes that answer for it.
#pragma once

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aisivi/v1/density_service.pb.h"
#include "gtest/gtest.h"
#include "server/remote/density_broker.h"

namespace aisivi::server::test {

// theta[2] ~ N(0, I), tau ~ Exponential(1): normalised, log Z = 0.
inline v1::DensityOffer Offer() {
  v1::DensityOffer offer;
  v1::Parameter* theta = offer.add_parameters();
  theta->set_name("theta");
  theta->add_shape(2);
  v1::Parameter* tau = offer.add_parameters();
  tau->set_name("tau");
  tau->mutable_constraint()->set_kind(v1::Constraint::KIND_LOWER);
  return offer;
}

inline std::string Bytes(const std::vector<double>& numbers) {
  std::string bytes(numbers.size() * sizeof(double), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

inline v1::BatchAnswer AnswerOf(const v1::Batch& batch) {
  std::vector<double> x(batch.values().size() / sizeof(double)), log_density, score;
  std::memcpy(x.data(), batch.values().data(), batch.values().size());
  EXPECT_EQ(static_cast<int>(x.size()), 3 * batch.points());
  for (size_t i = 0; i < x.size(); i += 3) {
    log_density.push_back(-0.5 * (x[i] * x[i] + x[i + 1] * x[i + 1]) - std::log(2 * M_PI) -
                          x[i + 2]);
    score.insert(score.end(), {-x[i], -x[i + 1], -1});
  }
  v1::BatchAnswer answer;
  answer.set_id(batch.id());
  answer.set_log_density(Bytes(log_density));
  if (batch.score()) answer.set_score(Bytes(score));
  return answer;
}

// One process, moved by the test.
class Process : public DensityOutlet {
 public:
  explicit Process(DensityBroker* broker) : broker_(broker) {
    absl::StatusOr<DensityBroker::StreamPtr> stream = broker_->Join(this);
    joined_ = stream.status();
    if (stream.ok()) stream_ = *std::move(stream);
  }
  ~Process() override { Leave(); }

  // As if it were killed.
  void Leave() {
    if (stream_ != nullptr) broker_->Leave(stream_);
    stream_ = nullptr;
  }
  const absl::Status& joined() const { return joined_; }

  void Say(const v1::DensityOffer& offer) {
    v1::ServeDensityRequest request;
    *request.mutable_offer() = offer;
    broker_->Take(stream_, std::move(request));
  }
  void Say(const v1::BatchAnswer& answer) {
    v1::ServeDensityRequest request;
    *request.mutable_answer() = answer;
    broker_->Take(stream_, std::move(request));
  }
  void SayNothing() { broker_->Take(stream_, {}); }
  void HalfClose() { broker_->Close(stream_); }

  // Offers, answers what tests it, and returns the name; empty when it was refused.
  std::string Open(const v1::DensityOffer& offer = Offer()) {
    Say(offer);
    for (std::optional<v1::ServeDensityResponse> next = Next(); next; next = Next()) {
      if (next->has_accepted()) return next->accepted().density();
      if (!next->has_batch()) return "";
      EXPECT_TRUE(next->batch().check());
      ++checks_;
      Say(AnswerOf(next->batch()));
    }
    return "";
  }
  int checks() const { return checks_; }

  // What comes next, within five seconds.
  std::optional<v1::ServeDensityResponse> Next(
      std::chrono::milliseconds patience = std::chrono::seconds(5)) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return !messages_.empty(); });
    if (messages_.empty()) return std::nullopt;
    const v1::ServeDensityResponse message = *messages_.front();
    messages_.pop_front();
    return message;
  }
  v1::Batch NextBatch() {
    const std::optional<v1::ServeDensityResponse> next = Next();
    EXPECT_TRUE(next.has_value() && next->has_batch());
    return next.has_value() ? next->batch() : v1::Batch();
  }
  // How its stream ended, within five seconds.
  absl::Status AwaitEnd() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(5), [&] { return end_.has_value(); });
    return end_.value_or(absl::UnknownError("it has not ended"));
  }
  bool AwaitAbort() {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(5), [&] { return aborted_; });
  }

  void Send(std::shared_ptr<const v1::ServeDensityResponse> message) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    messages_.push_back(std::move(message));
    changed_.notify_all();
  }
  void End(std::shared_ptr<const v1::ServeDensityResponse> last,
           const absl::Status& status) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_FALSE(end_.has_value()) << "it ends once";
    messages_.push_back(std::move(last));
    end_ = status;
    changed_.notify_all();
  }
  void Abort() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    aborted_ = true;
    changed_.notify_all();
  }

 private:
  DensityBroker* const broker_;
  absl::Status joined_;
  DensityBroker::StreamPtr stream_;
  int checks_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<const v1::ServeDensityResponse>> messages_;
  std::optional<absl::Status> end_;
  bool aborted_ = false;
};

}  // namespace aisivi::server::test
