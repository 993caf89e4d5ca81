#include "server/remote/density_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/remote/remote_target.h"
#include "tests/server/remote/testing.h"

namespace aisivi::server {
namespace {

using std::chrono::milliseconds;
using test::AnswerOf;
using test::Process;
using testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

struct Evaluated {
  absl::Status status;
  Eigen::VectorXd log_density;
  Eigen::MatrixXd score;
};

class BrokerTest : public ::testing::Test {
 protected:
  // Evaluates the density at `points` points on a thread of its own.
  std::future<Evaluated> Ask(const std::string& name, int64_t points,
                             absl::Duration patience = absl::Seconds(5)) {
    const absl::StatusOr<std::shared_ptr<const RemoteDensity>> density =
        broker_.Find("density", name);
    EXPECT_TRUE(density.ok()) << density.status();
    return std::async(std::launch::async, [this, density = *density, points, patience] {
      Evaluated result;
      result.status = broker_.Evaluate(*density, Points(points), {patience, &cancel_},
                                       &result.log_density, &result.score);
      return result;
    });
  }
  static Eigen::MatrixXd Points(int64_t count) {
    return Eigen::MatrixXd::NullaryExpr(3, count, [](Eigen::Index i, Eigen::Index j) {
      return 0.1 + std::sin(static_cast<double>(3 * j + i)) * (i == 2 ? 0.05 : 1);
    });
  }
  static void ExpectRight(std::future<Evaluated>& asked, int64_t points) {
    const Evaluated result = asked.get();
    ASSERT_TRUE(result.status.ok()) << result.status;
    const Eigen::MatrixXd x = Points(points);
    for (int64_t j = 0; j < points; ++j) {
      EXPECT_NEAR(result.log_density[j],
                  -0.5 * x.col(j).head(2).squaredNorm() - std::log(2 * M_PI) - x(2, j), 1e-12);
      EXPECT_EQ(result.score(0, j), -x(0, j));
      EXPECT_EQ(result.score(2, j), -1);
    }
  }

  DensityBroker broker_{{.densities = 3, .streams = 6, .end_within = absl::Milliseconds(100)}};
  std::atomic<bool> cancel_{false};
};

v1::DensityOffer WithDeadline(int milliseconds) {
  v1::DensityOffer offer = test::Offer();
  offer.mutable_deadline()->set_seconds(milliseconds / 1000);
  offer.mutable_deadline()->set_nanos(milliseconds % 1000 * 1'000'000);
  return offer;
}

v1::DensityOffer Naming(const std::string& name) {
  v1::DensityOffer offer = test::Offer();
  offer.set_density(name);
  return offer;
}

TEST_F(BrokerTest, OpensServesAndKeepsTheName) {
  auto process = std::make_unique<Process>(&broker_);
  const std::string name = process->Open();
  ASSERT_EQ(name.size(), 42);
  EXPECT_EQ(process->checks(), 10);  // together, one by one, around
  auto asked = Ask(name, 20);
  process->Say(AnswerOf(process->NextBatch()));
  ExpectRight(asked, 20);
  process.reset();
  EXPECT_TRUE(broker_.Find("density", name).ok());
}

TEST(BrokerLimitsTest, ADensityThatNobodyServesGoes) {
  DensityBroker broker({.kept = absl::Milliseconds(50)});
  std::string name;
  {
    Process process(&broker);
    name = process.Open();
    ASSERT_TRUE(broker.Find("density", name).ok());
  }
  while (broker.Find("density", name).ok()) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(broker.Find("density", name).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BrokerTest, ManyPointsComeInBatchesOfOneSizeAndTwoAtATime) {
  Process process(&broker_);
  const std::string name = process.Open();
  const int64_t most = PointsPerBatch(3), points = 3 * most + 5;
  auto asked = Ask(name, points);
  const v1::Batch first = process.NextBatch(), second = process.NextBatch();
  EXPECT_FALSE(process.Next(milliseconds(100)).has_value()) << "two are unanswered";
  EXPECT_EQ(first.points(), most);
  // In any order.
  process.Say(AnswerOf(second));
  const v1::Batch third = process.NextBatch();
  process.Say(AnswerOf(first));
  const v1::Batch fourth = process.NextBatch();
  EXPECT_EQ(fourth.points(), 5);
  process.Say(AnswerOf(fourth));
  process.Say(AnswerOf(third));
  ExpectRight(asked, points);
}

TEST_F(BrokerTest, WhatALostProcessOwesGoesToAnother) {
  auto first = std::make_unique<Process>(&broker_);
  const std::string name = first->Open();
  Process second(&broker_);
  ASSERT_EQ(second.Open(Naming(name)), name);
  auto asked = Ask(name, 4);
  const v1::Batch batch = first->NextBatch();
  first.reset();
  const v1::Batch again = second.NextBatch();
  EXPECT_EQ(again.id(), batch.id());
  second.Say(AnswerOf(again));
  ExpectRight(asked, 4);
}

TEST_F(BrokerTest, AProcessThatComesBackGoesOnWithTheFit) {
  auto first = std::make_unique<Process>(&broker_);
  const std::string name = first->Open();
  auto asked = Ask(name, 4);
  first->NextBatch();
  first.reset();
  Process back(&broker_);
  ASSERT_EQ(back.Open(Naming(name)), name);
  back.Say(AnswerOf(back.NextBatch()));
  ExpectRight(asked, 4);
}

TEST_F(BrokerTest, WhoIsLateIsClosedAndAnotherAsked) {
  Process late(&broker_);
  const std::string name = late.Open(WithDeadline(2000));
  auto asked = Ask(name, 4);
  const v1::Batch batch = late.NextBatch();
  Process second(&broker_);
  ASSERT_EQ(second.Open(Naming(name)), name);
  const absl::Status end = late.AwaitEnd();
  EXPECT_EQ(end.code(), absl::StatusCode::kDeadlineExceeded) << end;
  late.Say(AnswerOf(batch));  // passed over
  second.Say(AnswerOf(second.NextBatch()));
  ExpectRight(asked, 4);
  EXPECT_TRUE(late.AwaitAbort()) << "it does not leave by itself";
}

TEST_F(BrokerTest, NobodyLeftLosesTheTarget) {
  auto process = std::make_unique<Process>(&broker_);
  const std::string name = process->Open();
  auto asked = Ask(name, 4, absl::Milliseconds(200));
  process->NextBatch();
  process.reset();
  const Evaluated result = asked.get();
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnavailable) << result.status;
  // Without patience at once.
  EXPECT_EQ(Ask(name, 4, absl::ZeroDuration()).get().status.code(), absl::StatusCode::kUnavailable);
}

// A batch that every process dies of does not live for ever.
TEST_F(BrokerTest, ABatchIsSentEightTimesAtMost) {
  auto process = std::make_unique<Process>(&broker_);
  const std::string name = process->Open();
  auto asked = Ask(name, 4);
  for (int i = 0; i < 8; ++i) {
    process->NextBatch();
    process.reset();
    if (i == 7) break;
    process = std::make_unique<Process>(&broker_);
    ASSERT_EQ(process->Open(Naming(name)), name);
  }
  const absl::Status status = asked.get().status;
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(status), HasSubstr("8 times"));
}

TEST_F(BrokerTest, CancellationEndsTheWaitAndTheStreamGoesOn) {
  Process process(&broker_);
  const std::string name = process.Open(WithDeadline(3'600'000));  // longer than a test may take
  auto asked = Ask(name, 4);
  const v1::Batch batch = process.NextBatch();
  cancel_ = true;
  EXPECT_EQ(asked.get().status.code(), absl::StatusCode::kCancelled);
  cancel_ = false;
  process.Say(AnswerOf(batch));  // late, and no harm
  auto next = Ask(name, 4);
  process.Say(AnswerOf(process.NextBatch()));
  ExpectRight(next, 4);
}

TEST_F(BrokerTest, ASecondAnswerIsPassedOver) {
  Process process(&broker_);
  const std::string name = process.Open();
  auto asked = Ask(name, 4);
  v1::BatchAnswer answer = AnswerOf(process.NextBatch());
  process.Say(answer);
  answer.set_log_density(test::Bytes({7, 7, 7, 7}));
  process.Say(answer);
  ExpectRight(asked, 4);
  auto next = Ask(name, 4);
  process.Say(AnswerOf(process.NextBatch()));
  ExpectRight(next, 4);
}

TEST_F(BrokerTest, ValuesThatAreNotFiniteAreAllowed) {
  Process process(&broker_);
  const std::string name = process.Open();
  auto asked = Ask(name, 2);
  v1::BatchAnswer answer = AnswerOf(process.NextBatch());
  answer.set_log_density(test::Bytes({NAN, -INFINITY}));
  process.Say(answer);
  const Evaluated result = asked.get();
  ASSERT_TRUE(result.status.ok());
  EXPECT_TRUE(std::isnan(result.log_density[0]));
  EXPECT_EQ(result.log_density[1], -INFINITY);
}

TEST_F(BrokerTest, WhatWasNotAskedEndsTheStreamAndAnotherIsAsked) {
  Process honest(&broker_);
  const std::string name = honest.Open();
  const auto spoil = [&](const std::string& expected, auto change) {
    Process wrong(&broker_);
    ASSERT_EQ(wrong.Open(Naming(name)), name);
    auto one = Ask(name, 4), other = Ask(name, 4);
    v1::Batch batch = wrong.NextBatch(), honest_batch = honest.NextBatch();
    v1::BatchAnswer answer = AnswerOf(batch);
    change(&answer, honest_batch);
    wrong.Say(answer);
    const absl::Status end = wrong.AwaitEnd();
    EXPECT_EQ(end.code(), absl::StatusCode::kInvalidArgument) << end;
    EXPECT_THAT(Message(end), HasSubstr(expected));
    honest.Say(AnswerOf(honest_batch));
    honest.Say(AnswerOf(honest.NextBatch()));
    ExpectRight(one, 4);
    ExpectRight(other, 4);
  };
  spoil("answer.id", [](auto* a, const auto&) { a->set_id(12345678); });
  spoil("answer.id", [](auto* a, const v1::Batch& theirs) { a->set_id(theirs.id()); });
  spoil("answer.log_density", [](auto* a, const auto&) { a->clear_log_density(); });
  spoil("float32", [](auto* a, const auto&) { a->set_log_density(std::string(16, 'x')); });
  spoil("answer.score", [](auto* a, const auto&) { a->clear_score(); });
  spoil("answer.score", [](auto* a, const auto&) { a->set_score(std::string(1 << 20, 'x')); });
}

TEST_F(BrokerTest, WhatCannotBeEvaluatedEndsWhoAsked) {
  Process process(&broker_);
  const std::string name = process.Open();
  auto asked = Ask(name, 4);
  v1::BatchAnswer answer;
  answer.set_id(process.NextBatch().id());
  answer.set_error("division by\nzero");
  process.Say(answer);
  const absl::Status status = asked.get().status;
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status.message(), "the density: division by zero");
  auto next = Ask(name, 4);
  process.Say(AnswerOf(process.NextBatch()));
  ExpectRight(next, 4);
}

TEST_F(BrokerTest, MessagesOutOfTurnEndTheStream) {
  const auto ended = [](Process& process, const std::string& text) {
    const absl::Status end = process.AwaitEnd();
    EXPECT_EQ(end.code(), absl::StatusCode::kInvalidArgument) << end;
    EXPECT_THAT(Message(end), HasSubstr(text));
  };
  {
    Process process(&broker_);
    process.SayNothing();
    ended(process, "offer: is required");
  }
  {
    Process process(&broker_);
    process.Say(v1::BatchAnswer());
    ended(process, "offer: is required");
  }
  {
    Process process(&broker_);
    ASSERT_FALSE(process.Open().empty());
    process.Say(test::Offer());
    ended(process, "offer: comes in the first");
  }
  {
    Process process(&broker_);
    ASSERT_FALSE(process.Open().empty());
    process.SayNothing();
    ended(process, "answer: is required");
  }
  {
    Process process(&broker_);
    process.Say(test::Offer());
    v1::BatchAnswer answer;
    answer.set_id(process.NextBatch().id());
    answer.set_error("not today");
    process.Say(answer);
    ended(process, "answer.error: not today");
  }
}

TEST_F(BrokerTest, OnlyADensityThatIsThereCanBeNamed) {
  Process process(&broker_);
  const std::string name = process.Open();
  const auto refused = [&](const v1::DensityOffer& offer, absl::StatusCode code) {
    Process other(&broker_);
    EXPECT_EQ(other.Open(offer), "");
    EXPECT_EQ(other.AwaitEnd().code(), code) << other.AwaitEnd();
  };
  refused(Naming("densities/" + std::string(32, '0')), absl::StatusCode::kNotFound);
  v1::DensityOffer offer = Naming(name);
  offer.mutable_parameters(1)->set_name("sigma");
  refused(offer, absl::StatusCode::kFailedPrecondition);
  offer = Naming(name);
  offer.set_unnormalised(true);
  refused(offer, absl::StatusCode::kFailedPrecondition);
  // The wrong function under the right name.
  Process wrong(&broker_);
  wrong.Say(Naming(name));
  for (int i = 0; i < 10; ++i) {
    v1::BatchAnswer answer = AnswerOf(wrong.NextBatch());
    if (!answer.score().empty()) {
      std::string score = answer.score();
      score[7] = static_cast<char>(score[7] ^ 0x80);
      answer.set_score(score);
    }
    wrong.Say(answer);
  }
  EXPECT_EQ(wrong.AwaitEnd().code(), absl::StatusCode::kInvalidArgument) << wrong.AwaitEnd();
}

TEST_F(BrokerTest, StreamsAndDensitiesAreBounded) {
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 3; ++i) {
    processes.push_back(std::make_unique<Process>(&broker_));
    ASSERT_FALSE(processes.back()->Open().empty());
  }
  Process fourth(&broker_);
  EXPECT_EQ(fourth.Open(), "");
  EXPECT_EQ(fourth.AwaitEnd().code(), absl::StatusCode::kResourceExhausted);
  Process fifth(&broker_), sixth(&broker_), seventh(&broker_);
  EXPECT_TRUE(sixth.joined().ok());
  EXPECT_EQ(seventh.joined().code(), absl::StatusCode::kResourceExhausted) << "fourth has not left";
  fifth.Leave();
  Process eighth(&broker_);
  EXPECT_TRUE(eighth.joined().ok());
}

TEST(BrokerLimitsTest, WhoOffersNothingOrChecksNothingIsClosed) {
  DensityBroker broker({.offer_within = absl::Milliseconds(100)});
  Process silent(&broker);
  EXPECT_EQ(silent.AwaitEnd().code(), absl::StatusCode::kDeadlineExceeded);
  DensityBroker patient;
  Process slow(&patient);
  slow.Say(WithDeadline(150));
  EXPECT_EQ(slow.AwaitEnd().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(BrokerTest, HalfAStreamIsItsEnd) {
  Process first(&broker_), second(&broker_);
  const std::string name = first.Open();
  ASSERT_EQ(second.Open(Naming(name)), name);
  auto asked = Ask(name, 4);
  first.NextBatch();
  first.HalfClose();
  EXPECT_TRUE(first.AwaitEnd().ok());
  second.Say(AnswerOf(second.NextBatch()));
  ExpectRight(asked, 4);
}

TEST_F(BrokerTest, ShutdownEndsStreamsAndWaits) {
  Process process(&broker_);
  const std::string name = process.Open();
  auto asked = Ask(name, 4);
  process.NextBatch();
  broker_.Shutdown();
  EXPECT_EQ(process.AwaitEnd().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(asked.get().status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Process(&broker_).joined().code(), absl::StatusCode::kUnavailable);
}

// Several evaluations and processes, some of which vanish.
TEST_F(BrokerTest, ManyAtOnce) {
  Process keeper(&broker_);
  const std::string name = keeper.Open();
  std::atomic<bool> done{false};
  const auto answer = [&](Process& process) {
    while (!done) {
      const auto next = process.Next(milliseconds(20));
      if (next && next->has_batch()) process.Say(AnswerOf(next->batch()));
    }
  };
  std::thread keeping([&] { answer(keeper); });
  std::thread coming([&] {
    while (!done) {
      Process passing(&broker_);
      v1::DensityOffer offer = Naming(name);
      offer.set_omit_check(true);
      EXPECT_EQ(passing.Open(offer), name);
      for (int i = 0; i < 5; ++i) {
        const auto next = passing.Next(milliseconds(5));
        if (next && next->has_batch() && i < 4) passing.Say(AnswerOf(next->batch()));
      }
    }
  });
  std::vector<std::thread> askers;
  for (int i = 0; i < 3; ++i) {
    askers.emplace_back([&, i] {
      for (int k = 0; k < 50; ++k) {
        auto asked = Ask(name, 10 + i);
        ExpectRight(asked, 10 + i);
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  done = true;
  keeping.join();
  coming.join();
}

TEST_F(BrokerTest, ATargetAddsTheTransformAndLeavesOutWhatOverflows) {
  Process process(&broker_);
  const std::string name = process.Open();
  const RemoteTarget target(*broker_.Find("density", name), &broker_, {absl::Seconds(5)});
  EXPECT_EQ(target.dim(), 3);
  EXPECT_EQ(target.PointsPerCall(32), Target::kWholeBatch);
  EXPECT_EQ(target.CoordinateNames()[2], "tau");
  Eigen::MatrixXd z(3, 2);
  z << 0.5, 1, -1, 2, 0.3, 1e4;
  Eigen::VectorXd log_density;
  Eigen::MatrixXd score;
  auto asked =
      std::async(std::launch::async, [&] { return target.Evaluate(z, &log_density, &score); });
  const v1::Batch batch = process.NextBatch();
  EXPECT_EQ(batch.points(), 2) << "the batch keeps its shape";
  process.Say(AnswerOf(batch));
  ASSERT_TRUE(asked.get().ok());
  const double tau = std::exp(0.3);
  EXPECT_NEAR(log_density[0], -0.5 * 1.25 - std::log(2 * M_PI) - tau + 0.3, 1e-12);
  EXPECT_NEAR(score(2, 0), 1 - tau, 1e-12);
  EXPECT_EQ(log_density[1], -INFINITY);
  // Lost once, it does not wait again; draws need nobody.
  process.Leave();
  const RemoteTarget hasty(*broker_.Find("density", name), &broker_, {absl::Milliseconds(100)});
  EXPECT_EQ(hasty.Evaluate(z, &log_density, &score).code(), absl::StatusCode::kUnavailable);
  Eigen::MatrixXd values;
  ASSERT_TRUE(hasty.Constrain(z.col(0), 0, 0, &values).ok());
  EXPECT_NEAR(values(2, 0), tau, 1e-12);
}

}  // namespace
}  // namespace aisivi::server
