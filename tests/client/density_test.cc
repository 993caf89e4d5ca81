// Serving a density from C++: against a scripted service, and with fits of a real one.
#include "client/density.h"

#include <gmock/gmock.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "client/client.h"
#include "engine/fit/fit.h"
#include "server/server.h"
#include "tests/server/temporary_directory.h"

namespace aisivi {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using ServerStream = grpc::ServerReaderWriter<v1::ServeDensityResponse, v1::ServeDensityRequest>;

// Plays the parts of a script, one for each stream.
class ScriptedDensities : public v1::DensityService::Service {
 public:
  using Part = std::function<grpc::Status(const v1::DensityOffer& offer, ServerStream* stream)>;

  grpc::Status ServeDensity(grpc::ServerContext*, ServerStream* stream) override {
    v1::ServeDensityRequest request;
    if (!stream->Read(&request)) return grpc::Status::OK;
    Part part;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (script.empty()) return grpc::Status(grpc::StatusCode::INTERNAL, "the script has ended");
      part = script.front();
      script.pop_front();
    }
    return part(request.offer(), stream);
  }

  std::deque<Part> script;

 private:
  std::mutex mutex_;
};

void Accept(ServerStream* stream) {
  v1::ServeDensityResponse response;
  response.mutable_accepted()->set_density("densities/one");
  stream->Write(response);
}

v1::BatchAnswer Ask(ServerStream* stream, const std::vector<double>& x, int points) {
  v1::ServeDensityResponse response;
  response.mutable_batch()->set_id(7);
  response.mutable_batch()->set_points(points);
  response.mutable_batch()->set_score(true);
  response.mutable_batch()->mutable_values()->assign(reinterpret_cast<const char*>(x.data()),
                                                     x.size() * sizeof(double));
  stream->Write(response);
  v1::ServeDensityRequest request;
  EXPECT_TRUE(stream->Read(&request));
  return request.answer();
}

// mu ~ N(0, 1), sigma ~ Exponential(1).
absl::Status Normal(const Eigen::Ref<const Eigen::MatrixXd>& x, Eigen::VectorXd* log_density,
                    Eigen::MatrixXd* score) {
  *log_density =
      (-0.5 * x.row(0).array().square() - 0.5 * std::log(2 * M_PI) - x.row(1).array()).transpose();
  if (score == nullptr) return absl::OkStatus();
  *score = -x;
  score->row(1).setConstant(-1);
  return absl::OkStatus();
}

DensityDefinition Definition() {
  DensityDefinition definition;
  definition.parameters = {RealParameter("mu"), PositiveParameter("sigma")};
  definition.function = Normal;
  return definition;
}

class DensityClientTest : public ::testing::Test {
 protected:
  DensityClientTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    client_ = std::make_unique<Client>("127.0.0.1:" + std::to_string(port));
  }
  // Serves what the script asks once, and returns the answer.
  v1::BatchAnswer AnswerOf(const DensityDefinition& definition) {
    v1::BatchAnswer answer;
    service_.script = {[&](const v1::DensityOffer&, ServerStream* stream) {
      Accept(stream);
      answer = Ask(stream, {1, 2, 3, 4}, 2);
      return grpc::Status(grpc::StatusCode::NOT_FOUND, "the end");
    }};
    EXPECT_EQ(client_->ServeDensity(definition).code(), absl::StatusCode::kNotFound);
    return answer;
  }

  ScriptedDensities service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(DensityClientTest, OffersWhatIsDefinedAndAnswers) {
  DensityDefinition definition = Definition();
  definition.unnormalised = true;
  definition.display_name = "mine";
  definition.deadline = absl::Milliseconds(1500);
  definition.patience = absl::Seconds(7);
  definition.omit_check = true;
  std::vector<std::string> accepted;
  v1::DensityOffer offered;
  v1::BatchAnswer answer;
  service_.script = {[&](const v1::DensityOffer& offer, ServerStream* stream) {
    offered = offer;
    Accept(stream);
    answer = Ask(stream, {1, 2, 3, 4}, 2);
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "answer.score: no");
  }};
  const absl::Status status = client_->ServeDensity(
      definition, {.on_accepted = [&](const std::string& name) { accepted.push_back(name); }});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << "it is not tried again";
  EXPECT_EQ(accepted, std::vector<std::string>{"densities/one"});
  EXPECT_EQ(offered.parameters_size(), 2);
  EXPECT_EQ(offered.parameters(1).constraint().kind(), v1::Constraint::KIND_LOWER);
  EXPECT_TRUE(offered.unnormalised() && offered.omit_check());
  EXPECT_EQ(offered.display_name(), "mine");
  EXPECT_EQ(offered.deadline().nanos(), 500'000'000);
  EXPECT_EQ(offered.patience().seconds(), 7);
  EXPECT_EQ(answer.id(), 7);
  ASSERT_EQ(answer.log_density().size(), 16);
  ASSERT_EQ(answer.score().size(), 32);
  double score[4];
  std::memcpy(score, answer.score().data(), 32);
  EXPECT_EQ(score[0], -1);
  EXPECT_EQ(score[1], -1);
  EXPECT_EQ(score[2], -3);
}

TEST_F(DensityClientTest, WhatTheFunctionCannotDoIsTold) {
  DensityDefinition definition = Definition();
  definition.function = [](const auto&, auto*, auto*) { return absl::InternalError("not now"); };
  EXPECT_EQ(AnswerOf(definition).error(), "not now");
  definition.function = [](const auto&, auto*, auto*) -> absl::Status {
    throw std::runtime_error("overflow");
  };
  EXPECT_EQ(AnswerOf(definition).error(), "the function threw: overflow");
  definition.function = [](const auto&, Eigen::VectorXd* log_density, auto*) {
    log_density->resize(5);
    return absl::OkStatus();
  };
  EXPECT_THAT(AnswerOf(definition).error(), HasSubstr("5 log densities for 2 points"));
}

TEST_F(DensityClientTest, ABrokenStreamIsTakenUpUnderTheSameName) {
  std::vector<std::string> offered;
  const auto breaking = [&](grpc::StatusCode code) {
    return [&offered, code](const v1::DensityOffer& offer, ServerStream* stream) {
      offered.push_back(offer.density());
      Accept(stream);
      return grpc::Status(code, "broken");
    };
  };
  service_.script = {breaking(grpc::StatusCode::UNAVAILABLE),
                     breaking(grpc::StatusCode::DEADLINE_EXCEEDED), breaking(grpc::StatusCode::OK),
                     breaking(grpc::StatusCode::NOT_FOUND)};
  EXPECT_EQ(client_->ServeDensity(Definition()).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(offered,
            (std::vector<std::string>{"", "densities/one", "densities/one", "densities/one"}));
}

TEST_F(DensityClientTest, StopEndsItFromAnyThreadAndFromTheFunction) {
  const auto hanging = [](const v1::DensityOffer&, ServerStream* stream) {
    Accept(stream);
    v1::ServeDensityRequest request;
    while (stream->Read(&request)) {
    }
    return grpc::Status::OK;
  };
  service_.script = {hanging, hanging};
  std::stop_source first;
  EXPECT_TRUE(
      client_
          ->ServeDensity(Definition(), {.on_accepted = [&](const auto&) { first.request_stop(); },
                                        .stop = first.get_token()})
          .ok());
  std::stop_source second;
  std::promise<void> accepted;
  std::jthread other([&] {
    accepted.get_future().wait();
    second.request_stop();
  });
  EXPECT_TRUE(
      client_
          ->ServeDensity(Definition(), {.on_accepted = [&](const auto&) { accepted.set_value(); },
                                        .stop = second.get_token()})
          .ok());
}

TEST_F(DensityClientTest, NobodyThereIsAnErrorInTime) {
  server_->Shutdown();
  const absl::Status status =
      client_->ServeDensity(Definition(), {.reconnect = absl::Milliseconds(300)});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

TEST(DensityClientAndServerTest, AFitFromServedToVerdict) {
  server::TemporaryDirectory directory;
  server::ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.metrics_listen = "";
  options.data_dir = directory.path();
  const auto server = server::Server::Start(options, RunFit);
  ASSERT_TRUE(server.ok()) << server.status();
  const Client client((*server)->listen_address());
  std::stop_source stop;
  absl::StatusOr<v1::Fit> done = absl::UnknownError("not fitted");
  std::jthread fitter;
  const absl::Status served = client.ServeDensity(
      Definition(), {.on_accepted =
                         [&](const std::string& name) {
                           fitter = std::jthread([&, name] {
                             v1::Fit fit;
                             fit.mutable_target()->mutable_remote()->set_density(name);
                             fit.mutable_schedule()->set_iterations(40);
                             const auto created = client.CreateFit(fit);
                             done = created.ok() ? client.Watch(created->name())
                                                 : absl::StatusOr<v1::Fit>(created.status());
                             stop.request_stop();
                           });
                         },
                     .stop = stop.get_token()});
  EXPECT_TRUE(served.ok()) << served;
  fitter.join();
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->state(), v1::Fit::STATE_SUCCEEDED) << done->DebugString();
  EXPECT_NEAR(done->evidence().log_z(), 0, 0.05 + 4 * done->evidence().standard_error());
}

}  // namespace
}  // namespace aisivi
