// PosteriorService.EvaluateScore through a real server and the real engine.
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/fit/fit.h"
#include "gmock/gmock.h"
#include "tests/server/services/server_fixture.h"

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A family and a proposal that have been trained, so that inner samples matter.
constexpr char kBanana[] =
    "target { banana {} } schedule { iterations: 20 points: 32 keep_last: true } "
    "method { aisivi { inner_samples: 8 } } family { hidden: 8 } proposal { couplings: 2 } "
    "evidence_settings { evidence_draws: 200 evidence_inner_samples: 32 } "
    "start { warm_start: WARM_START_NONE }";
// The warm start alone fits it.
constexpr char kUntrainedGaussian[] =
    "target { gaussian { mean: [1, -2] covariance { rows: 2 columns: 2 values: [2, 0.5, 0.5, 1] } "
    "} } schedule { iterations: 0 } "
    "evidence_settings { evidence_draws: 500 evidence_inner_samples: 32 }";

struct Scores {
  std::vector<double> score, log_q, ess;
  int chunks = 0;
};

class ScoreTest : public ServerFixture {
 protected:
  void SetUp() override {
    StartServer([](const Target& target, const FitOptions& options, ThreadPool& pool,
                   const FitControl& control) { return RunFit(target, options, pool, control); });
  }

  std::string Fitted(const std::string& text) {
    const v1::Fit fit = AwaitEnd(MustCreate(text));
    EXPECT_EQ(fit.state(), v1::Fit::STATE_SUCCEEDED) << fit.message();
    return fit.name();
  }

  grpc::Status Evaluate(const v1::EvaluateScoreRequest& request, Scores* scores) {
    grpc::ClientContext context;
    const auto reader = posteriors_->EvaluateScore(&context, request);
    v1::ScoreChunk chunk;
    int64_t next = 0;
    while (reader->Read(&chunk)) {
      EXPECT_EQ(chunk.first(), next);
      EXPECT_EQ(chunk.score_size(), chunk.count() * chunk.dimension());
      EXPECT_LT(chunk.ByteSizeLong(), 4u << 20);
      next += chunk.count();
      const auto append = [](const auto& from, std::vector<double>* to) {
        to->insert(to->end(), from.begin(), from.end());
      };
      append(chunk.score(), &scores->score);
      append(chunk.log_q(), &scores->log_q);
      append(chunk.ess(), &scores->ess);
      ++scores->chunks;
    }
    return reader->Finish();
  }

  Scores MustEvaluate(const v1::EvaluateScoreRequest& request) {
    Scores scores;
    const grpc::Status status = Evaluate(request, &scores);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return scores;
  }
};

// `rows` points of two coordinates between −1 and 1.
v1::EvaluateScoreRequest ScoreRequest(const std::string& name, int rows, int64_t inner_samples) {
  v1::EvaluateScoreRequest request;
  request.set_name(name);
  request.set_inner_samples(inner_samples);
  request.mutable_points()->set_rows(rows);
  request.mutable_points()->set_columns(2);
  for (int i = 0; i < 2 * rows; ++i) request.mutable_points()->add_values(std::sin(1.0 + i));
  return request;
}

TEST_F(ScoreTest, OfAGaussianIsThatOfTheTargetFromBothSources) {
  v1::EvaluateScoreRequest request = ScoreRequest(Fitted(kUntrainedGaussian), 40, 20000);
  for (const v1::InnerSampleSource source :
       {v1::INNER_SAMPLE_SOURCE_PROPOSAL, v1::INNER_SAMPLE_SOURCE_PRIOR}) {
    request.set_source(source);
    const Scores scores = MustEvaluate(request);
    ASSERT_EQ(scores.score.size(), 80u);
    ASSERT_EQ(scores.ess.size(), 40u);
    double error = 0, size = 0;
    for (int n = 0; n < 40; ++n) {
      // −Σ⁻¹ (z − μ).
      const double x = request.points().values(2 * n) - 1,
                   y = request.points().values(2 * n + 1) + 2;
      const double truth[] = {-(x - 0.5 * y) / 1.75, -(2 * y - 0.5 * x) / 1.75};
      for (int d = 0; d < 2; ++d) {
        error += std::pow(scores.score[2 * n + d] - truth[d], 2);
        size += truth[d] * truth[d];
      }
      const double log_q =
          0.5 * (x * truth[0] + y * truth[1]) - std::log(2 * M_PI) - 0.5 * std::log(1.75);
      EXPECT_NEAR(scores.log_q[n], log_q, 0.2);
      EXPECT_GT(scores.ess[n], 10);
      EXPECT_LE(scores.ess[n], 20000 * (1 + 1e-9));
    }
    EXPECT_LT(error, 0.01 * size) << v1::InnerSampleSource_Name(source);
  }
}

TEST_F(ScoreTest, TheProposalIsTheDefaultAndTheSourceMatters) {
  v1::EvaluateScoreRequest request = ScoreRequest(Fitted(kBanana), 10, 50);
  const Scores unsaid = MustEvaluate(request);
  request.set_source(v1::INNER_SAMPLE_SOURCE_PROPOSAL);
  const Scores proposal = MustEvaluate(request);
  EXPECT_EQ(proposal.score, unsaid.score);
  EXPECT_EQ(proposal.ess, unsaid.ess);
  request.set_source(v1::INNER_SAMPLE_SOURCE_PRIOR);
  EXPECT_NE(MustEvaluate(request).score, unsaid.score);
  request.set_source(v1::INNER_SAMPLE_SOURCE_PROPOSAL);
  request.set_seed(1);
  EXPECT_NE(MustEvaluate(request).score, unsaid.score);
}

TEST_F(ScoreTest, ManyPointsTravelInChunksAndInnerSamplesHaveTheFitsDefault) {
  const std::string name = Fitted(kBanana);
  const Scores many = MustEvaluate(ScoreRequest(name, 1000, 0));
  EXPECT_EQ(many.score.size(), 2000u);
  EXPECT_EQ(many.chunks, 4);
  EXPECT_EQ(MustEvaluate(ScoreRequest(name, 1000, 32)).score, many.score)
      << "evidence_inner_samples, and the same again";
}

TEST_F(ScoreTest, AClientMayLeave) {
  const std::string name = Fitted(kBanana);
  {
    grpc::ClientContext context;
    const auto reader = posteriors_->EvaluateScore(&context, ScoreRequest(name, 100'000, 10'000));
    v1::ScoreChunk chunk;
    ASSERT_TRUE(reader->Read(&chunk));
    context.TryCancel();
    while (reader->Read(&chunk)) continue;
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_EQ(MustEvaluate(ScoreRequest(name, 3, 4)).ess.size(), 3u);
}

TEST_F(ScoreTest, AReferenceHasNone) {
  const std::string name = Fitted(
      "method { reference {} } target { banana {} } evidence_settings { evidence_draws: 2000 }");
  Scores scores;
  const grpc::Status status = Evaluate(ScoreRequest(name, 3, 4), &scores);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), StartsWith("name: " + name + " has no density"));
  EXPECT_EQ(Reason(status), "ONLY_DRAWS");
  EXPECT_TRUE(scores.score.empty());
}

TEST_F(ScoreTest, UnfinishedFitsAreRefusedByName) {
  const std::string name = MustCreate("target { banana {} } schedule { iterations: 10000000 }");
  Scores scores;
  const grpc::Status status = Evaluate(ScoreRequest(name, 3, 4), &scores);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Reason(status), "FIT_NOT_ENDED");
  EXPECT_EQ(Evaluate(ScoreRequest("fits/nonesuch", 3, 4), &scores).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(ScoreTest, BadInputNamesItsField) {
  const std::string name = Fitted(kBanana);
  const auto violated = [&](const v1::EvaluateScoreRequest& request) {
    Scores scores;
    const grpc::Status status = Evaluate(request, &scores);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
    EXPECT_TRUE(scores.score.empty());
    return ViolatedField(status);
  };
  v1::EvaluateScoreRequest request = ScoreRequest(name, 3, 4);
  request.clear_points();
  EXPECT_EQ(violated(request), "points");
  request = ScoreRequest(name, 3, 4);
  request.mutable_points()->set_columns(3);
  EXPECT_EQ(violated(request), "points") << "not of the fit's dimension";
  request = ScoreRequest(name, 3, 4);
  request.mutable_points()->add_values(1);
  EXPECT_EQ(violated(request), "points") << "not rows × columns";
  request = ScoreRequest(name, 3, 4);
  request.mutable_points()->set_values(0, std::nan(""));
  EXPECT_EQ(violated(request), "points");
  for (const int64_t k : {-1, 1'000'001}) {
    EXPECT_EQ(violated(ScoreRequest(name, 3, k)), "inner_samples");
  }
  request = ScoreRequest(name, 3, 4);
  request.set_source(static_cast<v1::InnerSampleSource>(7));
  EXPECT_EQ(violated(request), "source");
  EXPECT_EQ(violated(ScoreRequest(name, 500'000, 1'000'000)), "points")
      << "more than a day of work";
}

TEST_F(ScoreTest, ARequestThatIsTooLargeIsRefusedByItsField) {
  const std::string name = Fitted(kBanana);
  ServerOptions options;
  options.max_request_mb = 2;
  StartServer([](const Target& target, const FitOptions& fit, ThreadPool& pool,
                 const FitControl& control) { return RunFit(target, fit, pool, control); },
              options);
  Scores scores;
  const grpc::Status status = Evaluate(ScoreRequest(name, 180'000, 4), &scores);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_THAT(ViolatedField(status), HasSubstr("points"));
}

}  // namespace
}  // namespace aisivi::server
