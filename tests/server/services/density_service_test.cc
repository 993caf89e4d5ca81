// Densities that stay with the user, over gRPC: fits, attackers, restarts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "aisivi/v1/density_service.grpc.pb.h"
#include "engine/fit/fit.h"
#include "engine/targets/registry.h"
#include "tests/server/remote/testing.h"
#include "tests/server/services/server_fixture.h"

namespace aisivi::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kSettings[] =
    "schedule { iterations: 40 points: 64 } evidence_settings { evidence_draws: 512 "
    "evidence_inner_samples: 32 }";

using Answering = std::function<v1::BatchAnswer(const v1::Batch&)>;

// A process that serves a density on a thread of its own.
class Serving {
 public:
  Serving(const std::shared_ptr<grpc::Channel>& channel, const v1::DensityOffer& offer,
          Answering answer = test::AnswerOf)
      : stub_(v1::DensityService::NewStub(channel)), answer_(std::move(answer)) {
    thread_ = std::thread([this, offer] { Serve(offer); });
  }
  ~Serving() {
    Kill();
    thread_.join();
  }

  // The name, or empty when the stream ended before.
  std::string Name() { return name_.get_future().get(); }
  // What becomes of a process that is killed.
  void Kill() { context_.TryCancel(); }
  int batches() const { return batches_; }
  grpc::Status Ended() { return status_.get_future().get(); }

 private:
  void Serve(const v1::DensityOffer& offer) {
    const auto stream = stub_->ServeDensity(&context_);
    v1::ServeDensityRequest request;
    *request.mutable_offer() = offer;
    stream->Write(request);
    v1::ServeDensityResponse response;
    bool named = false;
    while (stream->Read(&response)) {
      if (response.has_accepted()) {
        name_.set_value(response.accepted().density());
        named = true;
      }
      if (!response.has_batch()) continue;
      if (!response.batch().check()) ++batches_;
      *request.mutable_answer() = answer_(response.batch());
      stream->Write(request);
    }
    if (!named) name_.set_value("");
    status_.set_value(stream->Finish());
  }

  const std::unique_ptr<v1::DensityService::Stub> stub_;
  const Answering answer_;
  grpc::ClientContext context_;
  std::promise<std::string> name_;
  std::promise<grpc::Status> status_;
  std::atomic<int> batches_{0};
  std::thread thread_;
};

v1::DensityOffer Patient(double seconds) {
  v1::DensityOffer offer = test::Offer();
  offer.mutable_patience()->set_seconds(static_cast<int64_t>(seconds));
  offer.mutable_patience()->set_nanos(
      static_cast<int32_t>(std::lround((seconds - std::floor(seconds)) * 1e9)));
  return offer;
}

class DensityServiceTest : public ServerFixture {
 protected:
  void SetUp() override { StartServer(RunFit); }

  static std::string FitOf(const std::string& density) {
    return "target { remote { density: \"" + density + "\" } } " + kSettings;
  }
  grpc::Status Draws(const std::string& name, bool densities) {
    grpc::ClientContext context;
    v1::StreamDrawsRequest request;
    request.set_name(name);
    request.set_count(10);
    request.set_omit_densities(!densities);
    const auto reader = posteriors_->StreamDraws(&context, request);
    v1::DrawsChunk chunk;
    while (reader->Read(&chunk)) EXPECT_EQ(chunk.count(), 10);
    return reader->Finish();
  }
  grpc::Status Evidence(const std::string& name) {
    grpc::ClientContext context;
    v1::EstimateLogEvidenceRequest request;
    request.set_name(name);
    const auto reader = posteriors_->EstimateLogEvidence(&context, request);
    v1::EstimateLogEvidenceResponse response;
    while (reader->Read(&response)) {
    }
    return reader->Finish();
  }
};

TEST_F(DensityServiceTest, AFitAsksTheProcessAndItsDrawsOutliveIt) {
  std::string fit_name;
  {
    Serving process(channel_, test::Offer());
    const std::string density = process.Name();
    ASSERT_THAT(density, StartsWith("densities/"));
    fit_name = MustCreate(FitOf(density));
    const v1::Fit fit = AwaitEnd(fit_name);
    EXPECT_EQ(fit.state(), v1::Fit::STATE_SUCCEEDED) << fit.DebugString();
    EXPECT_NEAR(fit.evidence().log_z(), 0, 0.05 + 4 * fit.evidence().standard_error());
    EXPECT_EQ(fit.dimension(), 3);
    EXPECT_EQ(fit.coordinate_names(2), "tau");
    EXPECT_GT(process.batches(), 0);
    EXPECT_EQ(Download(fit_name).target().remote().parameters_size(), 2);
    EXPECT_TRUE(Draws(fit_name, true).ok());
    EXPECT_TRUE(Evidence(fit_name).ok());
  }
  const auto offline = [&](const grpc::Status& status) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << status.error_message();
    EXPECT_EQ(Reason(status), "TARGET_OFFLINE");
    EXPECT_THAT(status.error_message(), StartsWith("name: "));
  };
  // The stream's end takes a moment to arrive.
  grpc::Status status = Draws(fit_name, true);
  for (int i = 0; i < 100 && status.ok(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    status = Draws(fit_name, true);
  }
  offline(status);
  offline(Evidence(fit_name));
  EXPECT_TRUE(Draws(fit_name, false).ok());
  // A restart forgets the density, not the fit.
  StartServer(RunFit);
  EXPECT_TRUE(Draws(fit_name, false).ok());
  offline(Evidence(fit_name));
}

TEST_F(DensityServiceTest, UnknownDensitiesAreNotFound) {
  v1::Fit fit;
  const std::string unknown = "densities/00000000000000000000000000000000";
  grpc::Status status = Create(FitOf(unknown), &fit);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), StartsWith("fit.target.remote.density: "));
  EXPECT_EQ(Reason(status), "DENSITY_NOT_FOUND");
  for (const char* wrong : {"", "mine", "densities/0"}) {
    status = Create(FitOf(wrong), &fit);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << wrong;
    EXPECT_EQ(ViolatedField(status), "fit.target.remote.density");
  }
}

TEST_F(DensityServiceTest, AnUnnormalisedDensitySaysSo) {
  v1::DensityOffer offer = test::Offer();
  offer.set_unnormalised(true);
  Serving process(channel_, offer);
  const v1::Fit fit = AwaitEnd(MustCreate(FitOf(process.Name())));
  EXPECT_TRUE(fit.target().remote().unnormalised());
  EXPECT_THAT(fit.log(), testing::Contains(HasSubstr("up to a constant only")));
}

TEST_F(DensityServiceTest, AKilledProcessLosesTheTargetWithTheBestState) {
  Serving process(channel_, Patient(0.3));
  const std::string fit_name = MustCreate(
      "target { remote { density: \"" + process.Name() +
      "\" } } start { warm_start: WARM_START_NONE } schedule { iterations: 1000000 points: 64 }");
  while (process.batches() < 30) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  process.Kill();
  const v1::Fit fit = AwaitEnd(fit_name);
  EXPECT_EQ(fit.state(), v1::Fit::STATE_SUCCEEDED) << fit.DebugString();
  EXPECT_EQ(fit.termination_reason(), v1::Fit::TERMINATION_REASON_TARGET_LOST);
  EXPECT_TRUE(fit.has_posterior());
  EXPECT_FALSE(fit.evidence().has_log_z());
  EXPECT_NE(fit.verdict().grade(), v1::FitVerdict::GRADE_GOOD);
  EXPECT_TRUE(Draws(fit_name, false).ok());
}

TEST_F(DensityServiceTest, LostBeforeThereIsAStateIsAFailure) {
  Serving process(channel_, Patient(0.1), [](const v1::Batch& batch) {
    v1::BatchAnswer answer = test::AnswerOf(batch);
    if (!batch.check()) answer.set_log_density("");  // ends the stream
    return answer;
  });
  const v1::Fit fit = AwaitEnd(MustCreate(FitOf(process.Name())));
  EXPECT_EQ(fit.state(), v1::Fit::STATE_FAILED);
  EXPECT_EQ(fit.error().code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(fit.termination_reason(), v1::Fit::TERMINATION_REASON_TARGET_LOST);
}

TEST_F(DensityServiceTest, AnotherProcessTakesOver) {
  v1::DensityOffer offer = Patient(5);
  auto first = std::make_unique<Serving>(channel_, offer);
  const std::string density = first->Name();
  offer.set_density(density);
  Serving second(channel_, offer);
  ASSERT_EQ(second.Name(), density);
  const std::string fit_name = MustCreate(
      "target { remote { density: \"" + density +
      "\" } } start { warm_start: WARM_START_NONE } schedule { iterations: 200 points: 64 }");
  while (first->batches() < 30) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  first->Kill();
  const v1::Fit fit = AwaitEnd(fit_name);
  EXPECT_NE(fit.termination_reason(), v1::Fit::TERMINATION_REASON_TARGET_LOST);
  EXPECT_EQ(fit.state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_GT(second.batches(), 0);
}

TEST_F(DensityServiceTest, WhatTheFunctionSaysEndsTheFit) {
  Serving process(channel_, test::Offer(), [](const v1::Batch& batch) {
    if (batch.check()) return test::AnswerOf(batch);
    v1::BatchAnswer answer;
    answer.set_id(batch.id());
    answer.set_error("ValueError: no such thing");
    return answer;
  });
  const v1::Fit fit = AwaitEnd(MustCreate(FitOf(process.Name())));
  EXPECT_EQ(fit.state(), v1::Fit::STATE_FAILED);
  EXPECT_THAT(fit.error().message(), HasSubstr("ValueError: no such thing"));
}

TEST_F(DensityServiceTest, CancellationIsHeededWhileTheProcessIsSilent) {
  std::atomic<bool> done{false};
  v1::DensityOffer offer = test::Offer();
  offer.mutable_deadline()->set_seconds(3600);  // longer than a test may take
  Serving process(channel_, offer, [&](const v1::Batch& batch) {
    while (!batch.check() && !done) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return test::AnswerOf(batch);
  });
  const std::string name = MustCreate(FitOf(process.Name()));
  while (process.batches() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  grpc::ClientContext context;
  v1::CancelFitRequest request;
  request.set_name(name);
  v1::Fit fit;
  ASSERT_TRUE(fits_->CancelFit(&context, request, &fit).ok());
  EXPECT_EQ(AwaitEnd(name).state(), v1::Fit::STATE_CANCELLED);
  done = true;
}

TEST_F(DensityServiceTest, AttackersEndWithTheirErrorAndTheServerLives) {
  const auto ended = [&](const v1::DensityOffer& offer, const Answering& answer,
                         grpc::StatusCode code) {
    Serving process(channel_, offer, answer);
    EXPECT_EQ(process.Name(), "");
    const grpc::Status status = process.Ended();
    EXPECT_EQ(status.error_code(), code) << status.error_message();
  };
  const auto garbage = [](const v1::Batch&) {
    v1::BatchAnswer answer;
    answer.set_id(-1);
    answer.set_log_density(std::string(1 << 22, 'x'));
    return answer;
  };
  ended(test::Offer(), garbage, grpc::StatusCode::INVALID_ARGUMENT);
  ended(v1::DensityOffer(), test::AnswerOf, grpc::StatusCode::INVALID_ARGUMENT);
  v1::DensityOffer huge = test::Offer();
  huge.set_display_name(std::string(30 << 20, 'x'));
  ended(huge, test::AnswerOf, grpc::StatusCode::INVALID_ARGUMENT);
  v1::DensityOffer hasty = test::Offer();
  hasty.mutable_deadline()->set_nanos(100'000'000);
  ended(
      hasty,
      [](const v1::Batch& batch) {
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        return test::AnswerOf(batch);
      },
      grpc::StatusCode::DEADLINE_EXCEEDED);
  // Half a stream, without an offer.
  grpc::ClientContext context;
  const auto stub = v1::DensityService::NewStub(channel_);
  const auto stream = stub->ServeDensity(&context);
  stream->WritesDone();
  v1::ServeDensityResponse response;
  while (stream->Read(&response)) EXPECT_TRUE(response.has_end());
  EXPECT_TRUE(stream->Finish().ok());
  Serving process(channel_, test::Offer());
  EXPECT_THAT(process.Name(), StartsWith("densities/"));
}

TEST_F(DensityServiceTest, ThousandsOfStreamsAreRefusedAndGoAway) {
  const auto stub = v1::DensityService::NewStub(channel_);
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<
      std::unique_ptr<grpc::ClientReaderWriter<v1::ServeDensityRequest, v1::ServeDensityResponse>>>
      streams;
  for (int i = 0; i < 1024; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(stub->ServeDensity(contexts.back().get()));
  }
  // Streams arrive in their own time; once those are there, others are refused.
  grpc::Status refused = grpc::Status::OK;
  for (int i = 0; i < 200 && refused.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
    const auto stream = stub->ServeDensity(&context);
    v1::ServeDensityResponse response;
    while (stream->Read(&response)) {
    }
    refused = stream->Finish();
  }
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << refused.error_message();
  EXPECT_EQ(Reason(refused), "TOO_MANY_STREAMS");
  for (const auto& context : contexts) context->TryCancel();
  streams.clear();
  std::string name;
  for (int i = 0; i < 50 && name.empty(); ++i) {
    Serving process(channel_, test::Offer());
    name = process.Name();
    if (name.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_THAT(name, StartsWith("densities/"));
}

TEST_F(DensityServiceTest, ShutdownSaysSo) {
  Serving process(channel_, test::Offer());
  ASSERT_FALSE(process.Name().empty());
  server_->Shutdown();
  const grpc::Status status = process.Ended();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Reason(status), "SHUTTING_DOWN");
}

// Logistic regression with five points in two dimensions.
const char kX[] = "[1, 0.3, 1, -1.2, 1, 0.7, 1, 2.1, 1, -0.4]";
const double kRows[5][2] = {{1, 0.3}, {1, -1.2}, {1, 0.7}, {1, 2.1}, {1, -0.4}};
const double kY[5] = {1, 0, 1, 1, 0};

v1::BatchAnswer LogisticAnswer(const v1::Batch& batch) {
  std::vector<double> z(batch.values().size() / sizeof(double)), log_density, score;
  std::memcpy(z.data(), batch.values().data(), batch.values().size());
  for (size_t i = 0; i < z.size(); i += 2) {
    double log_p = -std::log(2 * M_PI) - 0.5 * (z[i] * z[i] + z[i + 1] * z[i + 1]);
    double s[2] = {-z[i], -z[i + 1]};
    for (int n = 0; n < 5; ++n) {
      const double eta = kRows[n][0] * z[i] + kRows[n][1] * z[i + 1];
      log_p += kY[n] * eta - std::max(eta, 0.0) - std::log1p(std::exp(-std::abs(eta)));
      const double residual = kY[n] - 1 / (1 + std::exp(-eta));
      for (int d = 0; d < 2; ++d) s[d] += residual * kRows[n][d];
    }
    log_density.push_back(log_p);
    score.insert(score.end(), {s[0], s[1]});
  }
  v1::BatchAnswer answer;
  answer.set_id(batch.id());
  answer.set_log_density(test::Bytes(log_density));
  if (batch.score()) answer.set_score(test::Bytes(score));
  return answer;
}

TEST_F(DensityServiceTest, ABuiltInTargetServedFromOutsideGivesTheSameLogZ) {
  v1::DensityOffer offer;
  offer.add_parameters()->set_name("beta");
  offer.mutable_parameters(0)->add_shape(2);
  Serving process(channel_, offer, LogisticAnswer);
  const std::string settings = std::string(kSettings) + " seed: 5";
  const v1::Fit remote =
      AwaitEnd(MustCreate("target { remote { density: \"" + process.Name() + "\" } } " + settings));
  const v1::Fit built_in = AwaitEnd(
      MustCreate(std::string("target { logistic_regression { x { rows: 5 columns: 2 values: ") +
                 kX + " } y: [1, 0, 1, 1, 0] prior_precision: 1 } } " + settings));
  ASSERT_EQ(remote.state(), v1::Fit::STATE_SUCCEEDED) << remote.DebugString();
  ASSERT_EQ(built_in.state(), v1::Fit::STATE_SUCCEEDED) << built_in.DebugString();
  EXPECT_NEAR(remote.evidence().log_z(), built_in.evidence().log_z(), 1e-6);
  EXPECT_NEAR(remote.evidence().elbo_lower(), built_in.evidence().elbo_lower(), 1e-6);
}

}  // namespace
}  // namespace aisivi::server
