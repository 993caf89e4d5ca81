// The client against a scripted service on a real loopback port.
#include "client/client.h"

#include <gmock/gmock.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"

namespace aisivi {
namespace {

using grpc::ServerContext;
using testing::ElementsAre;
using testing::HasSubstr;

// Each call of WatchFit plays the next part of the script.
class ScriptedFits : public v1::FitService::Service {
 public:
  struct Part {
    std::vector<int64_t> sequences;
    bool last = false;  // the final event follows
    grpc::Status status;
    bool hang = false;  // until the watcher leaves
  };

  grpc::Status WatchFit(ServerContext* context, const v1::WatchFitRequest* request,
                        grpc::ServerWriter<v1::WatchFitResponse>* writer) override {
    Part part;
    {
      const std::lock_guard lock(mutex_);
      asked_after_.push_back(request->after_sequence());
      if (script_.empty()) return grpc::Status(grpc::StatusCode::INTERNAL, "the script has ended");
      part = script_.front();
      script_.pop_front();
    }
    v1::WatchFitResponse event;
    event.set_state(v1::Fit::STATE_RUNNING);
    for (const int64_t sequence : part.sequences) {
      event.set_sequence(sequence);
      writer->Write(event);
    }
    if (part.last) {
      event.set_sequence(event.sequence() + 1);
      event.mutable_fit()->set_name(request->name());
      event.mutable_fit()->set_state(v1::Fit::STATE_SUCCEEDED);
      writer->Write(event);
    }
    while (part.hang && !context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return part.status;
  }

  grpc::Status GetFit(ServerContext*, const v1::GetFitRequest* request, v1::Fit* fit) override {
    fit->set_name(request->name());
    fit->set_state(state);
    return grpc::Status::OK;
  }

  grpc::Status CreateFit(ServerContext*, const v1::CreateFitRequest* request,
                         v1::Fit* fit) override {
    *fit = request->fit();
    return grpc::Status::OK;
  }

  // Seven fits, in pages of at most three.
  grpc::Status ListFits(ServerContext*, const v1::ListFitsRequest* request,
                        v1::ListFitsResponse* response) override {
    const int first = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    const int last = std::min({7, first + 3, first + request->page_size()});
    for (int i = first; i < last; ++i) response->add_fits()->set_name(absl::StrCat("fits/", i));
    if (last < 7) response->set_next_page_token(absl::StrCat(last));
    return grpc::Status::OK;
  }

  void Play(std::deque<Part> parts) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(parts);
  }
  std::vector<int64_t> asked_after() {
    const std::lock_guard lock(mutex_);
    return asked_after_;
  }

  std::atomic<v1::Fit::State> state = v1::Fit::STATE_RUNNING;

 private:
  std::mutex mutex_;
  std::deque<Part> script_;
  std::vector<int64_t> asked_after_;
};

class ScriptedPosteriors : public v1::PosteriorService::Service {
 public:
  grpc::Status StreamDraws(ServerContext*, const v1::StreamDrawsRequest* request,
                           grpc::ServerWriter<v1::DrawsChunk>* writer) override {
    {
      const std::lock_guard lock(mutex_);
      asked_ = *request;
    }
    for (int64_t n = 0; n < request->count(); ++n) {
      v1::DrawsChunk chunk;
      chunk.set_first(n);
      chunk.set_count(1);
      chunk.set_dimension(2);
      chunk.add_values(static_cast<double>(n));
      chunk.add_values(static_cast<double>(10 * n));
      if (!request->omit_densities()) {
        chunk.add_log_p(-1.0 * static_cast<double>(n));
        chunk.add_log_q(-2.0 * static_cast<double>(n));
        chunk.add_log_weight(static_cast<double>(n));
      }
      if (n == 0) {
        chunk.add_coordinate_names("z[1]");
        chunk.add_coordinate_names("z[2]");
      }
      if (!writer->Write(chunk)) return grpc::Status::CANCELLED;
    }
    return grpc::Status::OK;
  }

  // The "density" of a point is 100 z_1 + z_2, so that swapped rows and columns would show.
  grpc::Status EvaluateLogDensity(ServerContext*, const v1::EvaluateLogDensityRequest* request,
                                  grpc::ServerWriter<v1::LogDensityChunk>* writer) override {
    const v1::Matrix& points = request->points();
    for (int n = 0; n < points.rows(); ++n) {
      const double value =
          100 * points.values(n * points.columns()) + points.values(n * points.columns() + 1);
      v1::LogDensityChunk chunk;
      chunk.set_first(n);
      chunk.add_log_q(value);
      chunk.add_lower(value - 1);
      chunk.add_upper(value + 1);
      writer->Write(chunk);
    }
    return grpc::Status::OK;
  }

  // Rows 0 and 1 of [[1, 2, 3], [4, 5, 6], [7, 8, 9]], then row 2.
  grpc::Status StreamCovariance(ServerContext*, const v1::StreamCovarianceRequest* request,
                                grpc::ServerWriter<v1::MatrixRows>* writer) override {
    v1::MatrixRows part;
    part.set_rows(3);
    part.set_columns(3);
    for (int i = 1; i <= 6; ++i) part.add_values(i);
    writer->Write(part);
    part.clear_values();
    part.set_first(static_cast<int>(request->seed()));
    for (int i = 7; i <= 9; ++i) part.add_values(i);
    writer->Write(part);
    return grpc::Status::OK;
  }

  grpc::Status EstimateLogEvidence(
      ServerContext*, const v1::EstimateLogEvidenceRequest* request,
      grpc::ServerWriter<v1::EstimateLogEvidenceResponse>* writer) override {
    v1::EstimateLogEvidenceResponse response;
    response.set_draws(10);
    response.set_done(4);
    writer->Write(response);
    if (request->seed() == 13) return grpc::Status::OK;  // ends without an estimate
    response.set_done(10);
    response.mutable_evidence()->set_log_z(-1.5);
    writer->Write(response);
    return grpc::Status::OK;
  }

  // The "score" of a point is the point times K, in chunks of two; of "fits/short" the last is left
  // out, of "fits/twice" the first comes again. "fits/hangs" waits for the client to leave.
  grpc::Status EvaluateScore(ServerContext* context, const v1::EvaluateScoreRequest* request,
                             grpc::ServerWriter<v1::ScoreChunk>* writer) override {
    const v1::Matrix& points = request->points();
    while (request->name() == "fits/hangs" && !context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    for (int first = 0; first < points.rows(); first += 2) {
      const int count = std::min(2, points.rows() - first);
      if (request->name() == "fits/short" && count < 2) break;
      v1::ScoreChunk chunk;
      chunk.set_first(request->name() == "fits/twice" ? 0 : first);
      chunk.set_count(count);
      chunk.set_dimension(points.columns());
      for (int n = first; n < first + count; ++n) {
        for (int d = 0; d < points.columns(); ++d) {
          chunk.add_score(points.values(n * points.columns() + d) *
                          static_cast<double>(request->inner_samples()));
        }
        chunk.add_log_q(static_cast<double>(request->seed()));
        chunk.add_ess(request->source() == v1::INNER_SAMPLE_SOURCE_PRIOR ? n : -n);
      }
      writer->Write(chunk);
    }
    if (request->name() == "fits/none") return grpc::Status(grpc::StatusCode::NOT_FOUND, "none");
    return grpc::Status::OK;
  }

  // The last request.
  v1::StreamDrawsRequest asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  v1::StreamDrawsRequest asked_;
};

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&fits_);
    builder.RegisterService(&posteriors_);
    server_ = builder.BuildAndStart();
    client_ = std::make_unique<Client>(absl::StrCat("127.0.0.1:", port));
  }
  ~ClientTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  ScriptedFits fits_;
  ScriptedPosteriors posteriors_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, WatchTakesABrokenStreamUpWhereItBroke) {
  const grpc::Status broken(grpc::StatusCode::UNAVAILABLE, "connection reset");
  fits_.Play({{{1, 2}, false, broken}, {{}, false, broken}, {{5}, true, grpc::Status::OK}});
  std::vector<int64_t> seen;
  const absl::StatusOr<v1::Fit> fit = client_->Watch(
      "fits/a", [&](const v1::WatchFitResponse& event) { seen.push_back(event.sequence()); });
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_EQ(fit->name(), "fits/a");
  EXPECT_EQ(fit->state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_THAT(seen, ElementsAre(1, 2, 5, 6));
  EXPECT_THAT(fits_.asked_after(), ElementsAre(0, 2, 2));
}

TEST_F(ClientTest, WatchTakesAStreamThatTheServerCancelledForBroken) {
  const grpc::Status cancelled(grpc::StatusCode::CANCELLED, "CANCELLED");
  fits_.Play({{{1}, false, cancelled}, {{2}, true, grpc::Status::OK}});
  const absl::StatusOr<v1::Fit> fit = client_->Watch("fits/a");
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_EQ(fit->state(), v1::Fit::STATE_SUCCEEDED);

  fits_.Play({{{1}, false, cancelled}});
  WatchOptions options;
  options.patience = absl::ZeroDuration();
  const absl::Status status = client_->Watch("fits/a", {}, options).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("the server"));
}

TEST_F(ClientTest, WatchGivesUpAfterItsPatience) {
  const grpc::Status broken(grpc::StatusCode::UNAVAILABLE, "gone");
  fits_.Play({{{1}, false, broken}, {{}, false, broken}});
  WatchOptions options;
  options.patience = absl::ZeroDuration();
  const absl::StatusOr<v1::Fit> fit = client_->Watch("fits/a", {}, options);
  EXPECT_TRUE(absl::IsUnavailable(fit.status())) << fit.status();
  EXPECT_EQ(fits_.asked_after().size(), 1u);
}

// A server that says goodbye is not waited for, however patient one is.
TEST_F(ClientTest, WatchEndsWhenTheServerShutsDown) {
  google::rpc::ErrorInfo info;
  info.set_reason("SHUTTING_DOWN");
  google::rpc::Status details;
  details.set_code(static_cast<int>(absl::StatusCode::kUnavailable));
  details.add_details()->PackFrom(info);
  const grpc::Status goodbye(grpc::StatusCode::UNAVAILABLE, "the server is shutting down",
                             details.SerializeAsString());
  // Were it to try again, it would see the fit succeed.
  fits_.Play({{{1}, false, goodbye}, {{2}, true, grpc::Status::OK}});
  const absl::Status status = client_->Watch("fits/a").status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("shutting down"));
  EXPECT_EQ(fits_.asked_after().size(), 1u);
}

TEST_F(ClientTest, WatchDoesNotRepeatWhatCannotSucceed) {
  fits_.Play({{{}, false, grpc::Status(grpc::StatusCode::NOT_FOUND, "no such fit")}});
  EXPECT_TRUE(absl::IsNotFound(client_->Watch("fits/a").status()));
  EXPECT_EQ(fits_.asked_after().size(), 1u);
}

TEST_F(ClientTest, WatchOfAFitThatHasEndedReturnsIt) {
  fits_.state = v1::Fit::STATE_CANCELLED;
  fits_.Play({{{}, false, grpc::Status::OK}});
  const absl::StatusOr<v1::Fit> fit = client_->Watch("fits/a");
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_EQ(fit->state(), v1::Fit::STATE_CANCELLED);
}

TEST_F(ClientTest, AStopEndsTheWaitAtOnce) {
  fits_.Play({{{1}, false, grpc::Status::OK, true}});
  std::stop_source stop;
  WatchOptions options;
  options.stop = stop.get_token();
  const absl::StatusOr<v1::Fit> fit = client_->Watch(
      "fits/a", [&](const v1::WatchFitResponse&) { stop.request_stop(); }, options);
  EXPECT_TRUE(absl::IsCancelled(fit.status())) << fit.status();
}

TEST_F(ClientTest, ListsAllPagesUpToTheLimit) {
  const auto names = [](const std::vector<v1::Fit>& fits) {
    std::vector<std::string> names;
    for (const v1::Fit& fit : fits) names.push_back(fit.name());
    return names;
  };
  const absl::StatusOr<std::vector<v1::Fit>> all = client_->ListFits();
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_THAT(names(*all),
              ElementsAre("fits/0", "fits/1", "fits/2", "fits/3", "fits/4", "fits/5", "fits/6"));
  const absl::StatusOr<std::vector<v1::Fit>> some = client_->ListFits("", 4);
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_THAT(names(*some), ElementsAre("fits/0", "fits/1", "fits/2", "fits/3"));
}

TEST_F(ClientTest, DrawsOfAllChunksAreOneMatrix) {
  const absl::StatusOr<Draws> draws = client_->GetDraws("fits/a", {.count = 3});
  ASSERT_TRUE(draws.ok()) << draws.status();
  EXPECT_THAT(draws->names, ElementsAre("z[1]", "z[2]"));
  Eigen::MatrixXd expected(2, 3);
  expected << 0, 1, 2, 0, 10, 20;
  EXPECT_EQ(draws->z, expected);
  EXPECT_EQ(draws->log_p, Eigen::Vector3d(0, -1, -2));
  EXPECT_EQ(draws->log_q, Eigen::Vector3d(0, -2, -4));
  EXPECT_EQ(draws->log_weight, Eigen::Vector3d(0, 1, 2));
}

TEST_F(ClientTest, DrawsWithoutDensities) {
  const absl::StatusOr<Draws> draws = client_->GetDraws("fits/a", {.count = 2, .densities = false});
  ASSERT_TRUE(draws.ok()) << draws.status();
  EXPECT_EQ(draws->z.cols(), 2);
  EXPECT_EQ(draws->log_p.size(), 0);
}

TEST_F(ClientTest, EveryOptionOfDrawsTravels) {
  DrawsOptions options;
  options.count = 4;
  options.seed = 9;
  options.first = 2;
  options.densities = false;
  options.inner_samples = 16;
  options.resample = true;
  options.force = true;
  options.unconstrained = true;
  ASSERT_TRUE(client_->GetDraws("fits/a", options).ok());
  const v1::StreamDrawsRequest asked = posteriors_.asked();
  EXPECT_EQ(asked.name(), "fits/a");
  EXPECT_EQ(asked.count(), 4);
  EXPECT_EQ(asked.seed(), 9u);
  EXPECT_EQ(asked.first(), 2);
  EXPECT_TRUE(asked.omit_densities());
  EXPECT_EQ(asked.inner_samples(), 16);
  EXPECT_EQ(asked.scale(), v1::DRAW_SCALE_UNCONSTRAINED);
  EXPECT_TRUE(asked.resample());
  EXPECT_TRUE(asked.force());
}

TEST_F(ClientTest, AnErrorOfTheReaderEndsTheStream) {
  int chunks = 0;
  const absl::Status status =
      client_->StreamDraws("fits/a", {.count = 1000000}, [&](const v1::DrawsChunk&) {
        return ++chunks == 2 ? absl::DataLossError("disk full") : absl::OkStatus();
      });
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(chunks, 2);
}

TEST_F(ClientTest, PointsAreColumnsHereAndRowsOnTheWire) {
  Eigen::MatrixXd points(2, 3);
  points << 1, 2, 3, 4, 5, 6;
  const absl::StatusOr<LogDensity> density = client_->EvaluateLogDensity("fits/a", points);
  ASSERT_TRUE(density.ok()) << density.status();
  EXPECT_EQ(density->log_q, Eigen::Vector3d(104, 205, 306));
  EXPECT_EQ(density->lower, Eigen::Vector3d(103, 204, 305));
  EXPECT_EQ(PointsFromProto(PointsToProto(points)), points);
}

TEST_F(ClientTest, RowsOfACovarianceAreOneMatrix) {
  const absl::StatusOr<Eigen::MatrixXd> covariance = client_->Covariance("fits/a", 0, 2);
  ASSERT_TRUE(covariance.ok()) << covariance.status();
  EXPECT_EQ(*covariance, (Eigen::Matrix3d() << 1, 2, 3, 4, 5, 6, 7, 8, 9).finished());
  EXPECT_TRUE(absl::IsDataLoss(client_->Covariance("fits/a", 0, 3).status()))
      << "a row that the matrix does not have";
}

TEST_F(ClientTest, EvidenceTellsHowFarItIs) {
  std::vector<std::pair<int64_t, int64_t>> seen;
  const absl::StatusOr<v1::LogEvidence> evidence = client_->Evidence(
      "fits/a", {}, [&](int64_t done, int64_t draws) { seen.emplace_back(done, draws); });
  ASSERT_TRUE(evidence.ok()) << evidence.status();
  EXPECT_EQ(evidence->log_z(), -1.5);
  EXPECT_THAT(seen, ElementsAre(std::pair(4, 10), std::pair(10, 10)));
  EXPECT_TRUE(absl::IsDataLoss(client_->Evidence("fits/a", {.seed = 13}).status()));
}

TEST_F(ClientTest, ScoresOfAllChunksAreOneMatrix) {
  Eigen::MatrixXd points(2, 3);
  points << 1, 2, 3, 4, 5, 6;
  const absl::StatusOr<Score> score = client_->EvaluateScore(
      "fits/a", points, {.inner_samples = 10, .seed = 7, .source = v1::INNER_SAMPLE_SOURCE_PRIOR});
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_EQ(score->score, 10 * points);
  EXPECT_EQ(score->log_q, Eigen::Vector3d(7, 7, 7));
  EXPECT_EQ(score->ess, Eigen::Vector3d(0, 1, 2));
}

TEST_F(ClientTest, ScoresThatAreNotThoseOfThePointsAreAnError) {
  const Eigen::MatrixXd points = Eigen::MatrixXd::Ones(2, 3);
  for (const char* name : {"fits/short", "fits/twice"}) {
    EXPECT_TRUE(absl::IsInternal(client_->EvaluateScore(name, points).status())) << name;
  }
  EXPECT_TRUE(absl::IsNotFound(client_->EvaluateScore("fits/none", points).status()));
}

TEST_F(ClientTest, AStopEndsTheWaitForScores) {
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const absl::StatusOr<Score> score =
      client_->EvaluateScore("fits/hangs", Eigen::MatrixXd::Ones(2, 3), {}, stop.get_token());
  EXPECT_TRUE(absl::IsCancelled(score.status())) << score.status();
}

TEST_F(ClientTest, ATooLargeRequestNamesItsLargestField) {
  v1::Fit fit;
  // gRPC accepts 4 MB by default, which this server has not changed.
  fit.mutable_target()->mutable_logistic_regression()->mutable_x()->mutable_values()->Resize(
      1 << 20, 1.0);
  const absl::Status status = client_->CreateFit(fit).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("fit.target.logistic_regression.x: too large"));
}

TEST(Client, AServerThatIsNotThereIsUnavailable) {
  // Port 1 is reserved and never listened on by an ordinary program.
  EXPECT_TRUE(absl::IsUnavailable(Client("127.0.0.1:1").GetFit("fits/a").status()));
}

}  // namespace
}  // namespace aisivi
