// The study of scores, against a service whose errors are known.
#include "client/experiments/score_study.h"

#include <gmock/gmock.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using grpc::ServerContext;
using testing::HasSubstr;

// q = N(0, I) in two dimensions. An estimate from the proposal is the score with noise of variance
// 1/k; from the prior it is half of the score, exactly.
class KnownScores : public v1::PosteriorService::Service {
 public:
  grpc::Status StreamDraws(ServerContext*, const v1::StreamDrawsRequest* request,
                           grpc::ServerWriter<v1::DrawsChunk>* writer) override {
    std::mt19937_64 engine(request->seed());
    std::normal_distribution<double> normal;
    v1::DrawsChunk chunk;
    chunk.set_count(static_cast<int>(request->count()));
    chunk.set_dimension(2);
    for (int64_t i = 0; i < 2 * request->count(); ++i) chunk.add_values(normal(engine));
    chunk.add_coordinate_names("z[1]");
    chunk.add_coordinate_names("z[2]");
    writer->Write(chunk);
    return grpc::Status::OK;
  }

  grpc::Status EvaluateScore(ServerContext*, const v1::EvaluateScoreRequest* request,
                             grpc::ServerWriter<v1::ScoreChunk>* writer) override {
    {
      const std::lock_guard lock(mutex_);
      EXPECT_TRUE(
          seen_.insert({request->source(), request->inner_samples(), request->seed()}).second)
          << "the same inner samples twice";
    }
    const bool prior = request->source() == v1::INNER_SAMPLE_SOURCE_PRIOR;
    const auto k = static_cast<double>(request->inner_samples());
    std::mt19937_64 engine(1000 * request->seed() + request->inner_samples());
    std::normal_distribution<double> normal(0, 1 / std::sqrt(k));
    const v1::Matrix& points = request->points();
    v1::ScoreChunk chunk;
    chunk.set_count(points.rows());
    chunk.set_dimension(2);
    for (const double z : points.values()) chunk.add_score(prior ? -0.5 * z : normal(engine) - z);
    for (int n = 0; n < points.rows(); ++n) {
      chunk.add_log_q(0);
      chunk.add_ess(prior ? 1 : 0.5 * k);
    }
    writer->Write(chunk);
    return grpc::Status::OK;
  }

 private:
  std::mutex mutex_;
  std::set<std::tuple<int, int64_t, uint64_t>> seen_;
};

TEST(ScoreStudy, RecoversWhatIsKnown) {
  KnownScores scores;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&scores);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const Client client(absl::StrCat("127.0.0.1:", port));
  ScorePlan plan;
  plan.points = 300;
  plan.repeats = 10;
  plan.proposal = {1, 100};
  plan.prior = {50};
  plan.truth = 1000000;
  const auto rows = StudyScores(client, "fits/a", plan, {});
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 3u);
  // The mean square of the score is 2, and so is the variance at k = 1.
  EXPECT_NEAR((*rows)[0].errors.variance, 1, 0.12);
  EXPECT_NEAR((*rows)[1].errors.variance, 0.01, 0.0015);
  EXPECT_FALSE((*rows)[1].errors.BiasShows());
  EXPECT_EQ((*rows)[1].ess, 50);
  EXPECT_EQ((*rows)[1].k, 100);
  EXPECT_GT((*rows)[1].seconds, 0);
  EXPECT_TRUE(std::isnan((*rows)[1].memory)) << "of no process";
  EXPECT_EQ((*rows)[2].source, "prior");
  EXPECT_NEAR((*rows)[2].errors.variance, 0, 1e-12);
  EXPECT_NEAR((*rows)[2].errors.bias_square, 0.25, 0.01);
  EXPECT_TRUE((*rows)[2].errors.BiasShows());

  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(absl::IsCancelled(StudyScores(client, "fits/a", plan, stop.get_token()).status()));
  server->Shutdown();
}

TEST(ScoreStudy, RowsAreReadAsTheyWereWritten) {
  const Folder folder;
  const std::vector<ScoreRow> rows = {{"proposal", 10, {0.1, -0.25, 1e-4}, 6.5, 0.01, std::nan("")},
                                      {"prior", 1000000, {1.5, 0.6, 0.1}, 1.1, 12, 4096}};
  ASSERT_TRUE(WriteScoreRows(folder / "scores.csv", rows).ok());
  const auto read = ReadScoreRows(folder / "scores.csv");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].errors.bias_square, -0.25);
  EXPECT_TRUE(std::isnan((*read)[0].memory));
  EXPECT_EQ((*read)[1].k, 1000000);
  EXPECT_EQ((*read)[1].memory, 4096);
  EXPECT_EQ(RowsFrom(*read, "prior").size(), 1u);
  EXPECT_EQ(RowsFrom(*read, "proposal")[0].ess, 6.5);
}

TEST(ScoreStudy, AnotherFileIsNamed) {
  const Folder folder;
  const std::string header = "source,k,variance,bias_square,floor,ess,seconds,memory_bytes\n";
  for (const std::string& text : {std::string("a,b\n"), header + "proposal,10,1\n",
                                  header + "proposal,10,1,1,1,1,1,many\n"}) {
    WriteFile(folder / "scores.csv", text);
    const absl::Status status = ReadScoreRows(folder / "scores.csv").status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("scores.csv"));
  }
  EXPECT_TRUE(absl::IsDataLoss(ReadScoreRows(folder / "none.csv").status()));
}

}  // namespace
}  // namespace aisivi::experiments
