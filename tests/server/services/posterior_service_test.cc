// PosteriorService through a real server and the real engine.
#include <cmath>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/fit/fit.h"
#include "gmock/gmock.h"
#include "server/services/covariance_source.h"
#include "server/services/draw_scale.h"
#include "server/services/draws_source.h"
#include "server/services/evidence_source.h"
#include "server/services/posterior_limits.h"
#include "tests/server/services/server_fixture.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A Gaussian with log Z = 0: the warm start alone fits it.
constexpr char kGaussian[] =
    "target { gaussian { mean: [1, -2] covariance { rows: 2 columns: 2 values: [2, 0.5, 0.5, 1] } "
    "} } schedule { iterations: 20 points: 32 } method { aisivi { inner_samples: 8 } } family { "
    "hidden: 8 } proposal { couplings: 2 } evidence_settings { evidence_draws: 500 "
    "evidence_inner_samples: 32 }";
constexpr char kEndless[] = "target { banana {} } schedule { iterations: 10000000 }";

FitFunction RealFit() {
  return [](const Target& target, const FitOptions& options, ThreadPool& pool,
            const FitControl& control) { return RunFit(target, options, pool, control); };
}

struct Draws {
  std::vector<double> values, log_p, log_q, log_weight;
  std::vector<std::string> names;
  int chunks = 0;
};

class PosteriorServiceTest : public ServerFixture {
 protected:
  void SetUp() override { StartServer(RealFit()); }

  std::string FittedGaussian() {
    const v1::Fit fit = AwaitEnd(MustCreate(kGaussian));
    EXPECT_EQ(fit.state(), v1::Fit::STATE_SUCCEEDED) << fit.message();
    EXPECT_TRUE(fit.has_posterior());
    return fit.name();
  }

  // A fit whose q is N(0, 1) exactly, of the target N(mean, variance).
  std::string StandardNormalOf(double mean, double variance) {
    const v1::Fit fit = AwaitEnd(MustCreate(absl::StrCat(
        "target { gaussian { mean: ", mean, " covariance { rows: 1 columns: 1 values: ", variance,
        " } } } schedule { iterations: 0 } start { warm_start: WARM_START_NONE } evidence_settings "
        "{ evidence_draws: 200 evidence_inner_samples: 4 }")));
    EXPECT_EQ(fit.state(), v1::Fit::STATE_SUCCEEDED) << fit.message();
    return fit.name();
  }

  grpc::Status Stream(const v1::StreamDrawsRequest& request, Draws* draws) {
    grpc::ClientContext context;
    const auto reader = posteriors_->StreamDraws(&context, request);
    v1::DrawsChunk chunk;
    int64_t next = request.first();
    while (reader->Read(&chunk)) {
      EXPECT_EQ(chunk.first(), next);
      EXPECT_EQ(chunk.values_size(), chunk.count() * chunk.dimension());
      EXPECT_LT(chunk.ByteSizeLong(), 4u << 20);
      next += chunk.count();
      const auto append = [](const auto& from, std::vector<double>* to) {
        to->insert(to->end(), from.begin(), from.end());
      };
      append(chunk.values(), &draws->values);
      append(chunk.log_p(), &draws->log_p);
      append(chunk.log_q(), &draws->log_q);
      append(chunk.log_weight(), &draws->log_weight);
      for (const std::string& name : chunk.coordinate_names()) draws->names.push_back(name);
      ++draws->chunks;
    }
    return reader->Finish();
  }

  // To the end: the estimate, if there is one.
  grpc::Status Estimate(const v1::EstimateLogEvidenceRequest& request, v1::LogEvidence* evidence) {
    grpc::ClientContext context;
    const auto reader = posteriors_->EstimateLogEvidence(&context, request);
    v1::EstimateLogEvidenceResponse response;
    int64_t done = 0;
    while (reader->Read(&response)) {
      EXPECT_GT(response.done(), done) << "every message is of more draws";
      done = response.done();
      EXPECT_EQ(response.has_evidence(), done == response.draws());
      *evidence = response.evidence();
    }
    return reader->Finish();
  }

  // All chunks in one.
  grpc::Status LogDensity(const v1::EvaluateLogDensityRequest& request, v1::LogDensityChunk* all) {
    grpc::ClientContext context;
    const auto reader = posteriors_->EvaluateLogDensity(&context, request);
    v1::LogDensityChunk chunk;
    while (reader->Read(&chunk)) {
      EXPECT_EQ(chunk.first(), all->log_q_size());
      EXPECT_LT(chunk.ByteSizeLong(), 4u << 20);
      all->mutable_log_q()->MergeFrom(chunk.log_q());
      all->mutable_lower()->MergeFrom(chunk.lower());
      all->mutable_upper()->MergeFrom(chunk.upper());
    }
    return reader->Finish();
  }

  grpc::Status Covariance(const v1::StreamCovarianceRequest& request, std::vector<double>* values) {
    grpc::ClientContext context;
    const auto reader = posteriors_->StreamCovariance(&context, request);
    v1::MatrixRows rows;
    while (reader->Read(&rows)) {
      EXPECT_EQ(rows.first() * rows.columns(), static_cast<int>(values->size()));
      values->insert(values->end(), rows.values().begin(), rows.values().end());
    }
    return reader->Finish();
  }

  Draws MustStream(const std::string& request) {
    Draws draws;
    const grpc::Status status = Stream(FromText<v1::StreamDrawsRequest>(request), &draws);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return draws;
  }
};

TEST_F(PosteriorServiceTest, EvidenceOfAGaussianIsRight) {
  const v1::Fit fit = Get(FittedGaussian());
  EXPECT_EQ(fit.known_log_z(), 0);
  EXPECT_NEAR(fit.evidence().log_z(), 0, 0.1);
  EXPECT_LE(fit.evidence().elbo_lower(), fit.evidence().elbo_upper() + 0.05);
  EXPECT_NEAR(fit.evidence().elbo_lower(), 0, 0.1);
  v1::EstimateLogEvidenceRequest request;
  request.set_name(fit.name());
  request.set_draws(600);
  request.set_inner_samples(16);
  request.set_seed(9);
  v1::LogEvidence evidence;
  ASSERT_TRUE(Estimate(request, &evidence).ok());
  EXPECT_EQ(evidence.draws(), 600);
  EXPECT_EQ(evidence.inner_samples(), 16);
  EXPECT_NEAR(evidence.log_z(), 0, 0.1);
  EXPECT_GT(evidence.ess(), 300);
  EXPECT_TRUE(evidence.has_standard_error());
  EXPECT_EQ(fit.verdict().grade(), v1::FitVerdict::GRADE_GOOD) << fit.verdict().sentence();
  EXPECT_FALSE(fit.evidence().has_verdict());
  EXPECT_EQ(evidence.verdict().grade(), v1::FitVerdict::GRADE_GOOD)
      << evidence.verdict().sentence();
  EXPECT_GE(evidence.verdict().criteria_size(), 6);
}

TEST_F(PosteriorServiceTest, RestartsThatDisagreeShowInTheVerdict) {
  StartServer([](const Target& target, const FitOptions& options, ThreadPool& pool,
                 const FitControl& control) {
    absl::StatusOr<FitResult> result = RunFit(target, options, pool, control);
    if (result.ok()) result->r_hat = 1.25, result->restart_elbo = {-0.5, 0};
    return result;
  });
  const v1::Fit fit = AwaitEnd(MustCreate(kGaussian));
  EXPECT_EQ(fit.r_hat(), 1.25);
  EXPECT_THAT(fit.restart_elbo(), ElementsAre(-0.5, 0));
  EXPECT_EQ(fit.verdict().grade(), v1::FitVerdict::GRADE_DO_NOT_TRUST);
  EXPECT_THAT(fit.verdict().sentence(), HasSubstr("r_hat is 1.25"));
  v1::EstimateLogEvidenceRequest request;
  request.set_name(fit.name());
  v1::LogEvidence evidence;
  ASSERT_TRUE(Estimate(request, &evidence).ok());
  EXPECT_EQ(evidence.verdict().grade(), v1::FitVerdict::GRADE_DO_NOT_TRUST)
      << "a fresh estimate does not make them agree";
}

TEST_F(PosteriorServiceTest, AReferenceServesItsDrawsAndNoDensity) {
  const v1::Fit fit = AwaitEnd(MustCreate(
      "method { reference {} } target { banana {} } evidence_settings { evidence_draws: 2000 }"));
  ASSERT_EQ(fit.state(), v1::Fit::STATE_SUCCEEDED) << fit.message();
  EXPECT_EQ(fit.termination_reason(), v1::Fit::TERMINATION_REASON_CONVERGED);
  EXPECT_LE(fit.evidence().standard_error(), 0.05);
  EXPECT_NEAR(fit.evidence().log_z(), fit.known_log_z(), 3 * fit.evidence().standard_error());
  EXPECT_GT(fit.evidence().ess(), 100);
  EXPECT_EQ(fit.evidence().draws(), 2000);
  EXPECT_FALSE(fit.evidence().has_elbo_lower());
  EXPECT_FALSE(fit.evidence().has_pareto_k());
  EXPECT_GT(fit.r_hat(), 0.99);
  EXPECT_LT(fit.r_hat(), 1.05);
  EXPECT_NE(fit.verdict().grade(), v1::FitVerdict::GRADE_DO_NOT_TRUST) << fit.verdict().sentence();
  const std::string name = "name: '" + fit.name() + "' ";
  const Draws draws = MustStream(name + "count: 2000");
  ASSERT_EQ(draws.log_weight.size(), 2000u);
  for (const double weight : draws.log_weight) {
    EXPECT_NEAR(weight, fit.evidence().log_z(), 1e-9);
  }
  EXPECT_EQ(MustStream(name + "count: 500 resample: true").values.size(), 1000u);
  grpc::ClientContext summarize;
  v1::PosteriorSummary summary;
  ASSERT_TRUE(
      posteriors_
          ->SummarizePosterior(&summarize, FromText<v1::SummarizePosteriorRequest>(name), &summary)
          .ok());
  EXPECT_EQ(summary.coordinates_size(), 2);
  v1::LogDensityChunk density;
  const grpc::Status no_density =
      LogDensity(FromText<v1::EvaluateLogDensityRequest>(
                     name + "points { rows: 1 columns: 2 values: [0, -1] }"),
                 &density);
  v1::LogEvidence evidence;
  const grpc::Status no_evidence =
      Estimate(FromText<v1::EstimateLogEvidenceRequest>(name), &evidence);
  for (const grpc::Status& status : {no_density, no_evidence}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_THAT(status.error_message(), StartsWith("name: " + fit.name() + " has no density"));
    EXPECT_EQ(Reason(status), "ONLY_DRAWS");
  }
}

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

TEST_F(PosteriorServiceTest, ResamplingMovesAWrongModelToTheTruth) {
  const std::string name = StandardNormalOf(0.7, 0.64);
  const std::string request = "name: '" + name + "' count: 4000 seed: 3 inner_samples: 4 ";
  EXPECT_NEAR(Mean(MustStream(request).values), 0, 0.1);
  const Draws resampled = MustStream(request + "resample: true");
  ASSERT_EQ(resampled.values.size(), 4000u);
  EXPECT_NEAR(Mean(resampled.values), 0.7, 0.06);
  EXPECT_EQ(resampled.names.size(), 1u);
  EXPECT_EQ(resampled.log_p.size(), 4000u);
  EXPECT_EQ(resampled.log_q.size(), 4000u);
  EXPECT_TRUE(resampled.log_weight.empty());
  EXPECT_EQ(MustStream(request + "resample: true").values, resampled.values);
  const Draws bare = MustStream(request + "resample: true omit_densities: true");
  EXPECT_EQ(bare.values, resampled.values);
  EXPECT_TRUE(bare.log_p.empty());
}

TEST_F(PosteriorServiceTest, ResamplingIsRefusedWhereTheWeightsCannotBeTrusted) {
  const std::string name = StandardNormalOf(5, 1);
  Draws draws;
  const grpc::Status status = Stream(
      FromText<v1::StreamDrawsRequest>("name: '" + name + "' inner_samples: 4 resample: true"),
      &draws);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), StartsWith("resample: "));
  EXPECT_EQ(Reason(status), "HEAVY_TAIL");
  EXPECT_TRUE(draws.values.empty());
  EXPECT_EQ(
      MustStream("name: '" + name + "' inner_samples: 4 resample: true force: true").values.size(),
      1000u);
}

TEST_F(PosteriorServiceTest, DrawsAreTheSameHoweverTheyAreAskedFor) {
  const std::string name = FittedGaussian();
  const Draws all = MustStream("name: '" + name + "' count: 40 seed: 5 inner_samples: 16");
  ASSERT_EQ(all.values.size(), 80u);
  EXPECT_THAT(all.names, ElementsAre("z[1]", "z[2]"));
  for (size_t i = 0; i < all.log_weight.size(); ++i) {
    EXPECT_EQ(all.log_weight[i], all.log_p[i] - all.log_q[i]);
  }
  const Draws tail =
      MustStream("name: '" + name + "' count: 10 first: 30 seed: 5 inner_samples: 16");
  EXPECT_EQ(tail.values, std::vector<double>(all.values.begin() + 60, all.values.end()));
  EXPECT_EQ(tail.log_q, std::vector<double>(all.log_q.begin() + 30, all.log_q.end()));
  const Draws plain = MustStream("name: '" + name + "' count: 40 seed: 5 omit_densities: true");
  EXPECT_EQ(plain.values, all.values);
  EXPECT_TRUE(plain.log_p.empty() && plain.log_q.empty() && plain.log_weight.empty());
  EXPECT_NE(MustStream("name: '" + name + "' count: 40 seed: 6 omit_densities: true").values,
            all.values);
  server_.reset();
  StartServer(RealFit());
  EXPECT_EQ(MustStream("name: '" + name + "' count: 40 seed: 5 omit_densities: true").values,
            all.values)
      << "also after a restart";
}

TEST_F(PosteriorServiceTest, ManyDrawsTravelInChunks) {
  const std::string name = FittedGaussian();
  const Draws draws = MustStream("name: '" + name + "' count: 30000 omit_densities: true");
  EXPECT_EQ(draws.values.size(), 60000u);
  EXPECT_GT(draws.chunks, 1);
  EXPECT_EQ(draws.names.size(), 2u) << "names travel once";
}

TEST_F(PosteriorServiceTest, ClientMayLeaveAStreamOfDraws) {
  const std::string name = FittedGaussian();
  {
    grpc::ClientContext context;
    v1::StreamDrawsRequest request;
    request.set_name(name);
    request.set_count(10'000'000);
    const auto reader = posteriors_->StreamDraws(&context, request);
    v1::DrawsChunk chunk;
    ASSERT_TRUE(reader->Read(&chunk));
    context.TryCancel();
    while (reader->Read(&chunk)) continue;
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_EQ(MustStream("name: '" + name + "' count: 3").values.size(), 6u);
}

// Estimates that take hours, all at once.
class Crowd {
 public:
  Crowd(v1::PosteriorService::Stub* stub, const std::string& fit, int count) : calls_(count) {
    request_.set_name(fit);
    request_.set_draws(100'000);
    request_.set_inner_samples(1'000'000);
    for (Call& call : calls_) {
      call.crowd = this;
      stub->async()->EstimateLogEvidence(&call.context, &request_, &call);
      call.StartRead(&call.response);
      call.StartCall();
    }
  }
  void AwaitEnded(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return ended_ >= count; });
  }
  int Count(grpc::StatusCode code) {
    const std::lock_guard<std::mutex> lock(mutex_);
    int count = 0;
    for (const Call& call : calls_)
      count += call.status.has_value() && call.status->error_code() == code;
    return count;
  }
  grpc::Status FirstRefused() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Call& call : calls_) {
      if (call.status.has_value()) return *call.status;
    }
    return grpc::Status::OK;
  }
  void Leave() {
    for (Call& call : calls_) call.context.TryCancel();
  }

 private:
  struct Call final : grpc::ClientReadReactor<v1::EstimateLogEvidenceResponse> {
    void OnReadDone(bool ok) override {
      if (ok) StartRead(&response);
    }
    void OnDone(const grpc::Status& ended) override {
      const std::lock_guard<std::mutex> lock(crowd->mutex_);
      status = ended;
      ++crowd->ended_;
      crowd->changed_.notify_all();
    }
    Crowd* crowd = nullptr;
    grpc::ClientContext context;
    v1::EstimateLogEvidenceResponse response;
    std::optional<grpc::Status> status;
  };
  v1::EstimateLogEvidenceRequest request_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Call> calls_;
  int ended_ = 0;
};

// Four compute and thirty-two wait, whoever comes after these is refused; none of them holds a
// thread of RPCs, and when their clients leave there is room again.
TEST_F(PosteriorServiceTest, ACrowdIsBoundedAndMakesRoomWhenItLeaves) {
  const std::string name = FittedGaussian();
  Crowd crowd(posteriors_.get(), name, 40);
  crowd.AwaitEnded(4);
  EXPECT_EQ(crowd.Count(grpc::StatusCode::RESOURCE_EXHAUSTED), 4);
  EXPECT_EQ(Reason(crowd.FirstRefused()), "TOO_BUSY");
  EXPECT_EQ(Get(name).state(), v1::Fit::STATE_SUCCEEDED) << "others are answered";
  v1::CheckTargetResponse check;
  v1::CheckTargetRequest target;
  target.mutable_target()->mutable_banana();
  {
    grpc::ClientContext context;
    EXPECT_EQ(targets_->CheckTarget(&context, target, &check).error_code(),
              grpc::StatusCode::RESOURCE_EXHAUSTED)
        << "the same limit holds for checks";
  }
  crowd.Leave();
  crowd.AwaitEnded(40);
  EXPECT_EQ(crowd.Count(grpc::StatusCode::CANCELLED), 36);
  // A client that cancels does not wait for the server to hear of it.
  grpc::Status status;
  do {
    grpc::ClientContext context;
    status = targets_->CheckTarget(&context, target, &check);
  } while (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(MustStream("name: '" + name + "' count: 3").values.size(), 6u);
}

TEST_F(PosteriorServiceTest, ProductsOfSizesAreBounded) {
  const std::string name = FittedGaussian();
  Draws draws;
  grpc::Status status = Stream(FromText<v1::StreamDrawsRequest>(
                                   "name: '" + name + "' count: 10000000 inner_samples: 1000000"),
                               &draws);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ViolatedField(status), "count");
  EXPECT_THAT(status.error_message(), HasSubstr("10000000 points with 1000000 inner samples"));
  v1::EstimateLogEvidenceRequest evidence_request;
  evidence_request.set_name(name);
  evidence_request.set_draws(10'000'000);
  evidence_request.set_inner_samples(1'000'000);
  v1::LogEvidence evidence;
  status = Estimate(evidence_request, &evidence);
  EXPECT_EQ(ViolatedField(status), "draws");
  auto points = FromText<v1::EvaluateLogDensityRequest>("inner_samples: 1000000");
  points.set_name(name);
  points.mutable_points()->set_rows(500'000);
  points.mutable_points()->set_columns(2);
  points.mutable_points()->mutable_values()->Resize(1'000'000, 0.0);
  v1::LogDensityChunk densities;
  status = LogDensity(points, &densities);
  EXPECT_EQ(ViolatedField(status), "points");
}

TEST_F(PosteriorServiceTest, SummaryMatchesTheTarget) {
  grpc::ClientContext context;
  v1::SummarizePosteriorRequest request;
  request.set_name(FittedGaussian());
  for (const double probability : {0.0, 0.5, 1.0}) request.add_probabilities(probability);
  v1::PosteriorSummary summary;
  ASSERT_TRUE(posteriors_->SummarizePosterior(&context, request, &summary).ok());
  ASSERT_EQ(summary.coordinates_size(), 2);
  EXPECT_EQ(summary.count(), 20000);
  EXPECT_NEAR(summary.coordinates(0).mean(), 1, 0.1);
  EXPECT_NEAR(summary.coordinates(1).mean(), -2, 0.1);
  EXPECT_NEAR(summary.coordinates(0).sd(), std::sqrt(2.0), 0.1);
  EXPECT_LT(summary.coordinates(0).quantiles(0), summary.coordinates(0).quantiles(1));
  EXPECT_LT(summary.coordinates(0).quantiles(1), summary.coordinates(0).quantiles(2));
  v1::StreamCovarianceRequest covariance_request;
  covariance_request.set_name(request.name());
  std::vector<double> covariance;
  ASSERT_TRUE(Covariance(covariance_request, &covariance).ok());
  ASSERT_EQ(covariance.size(), 4u);
  EXPECT_NEAR(covariance[1], 0.5, 0.1);
  EXPECT_EQ(covariance[2], covariance[1]);
  EXPECT_NEAR(covariance[3], std::pow(summary.coordinates(1).sd(), 2), 1e-12)
      << "of the same draws";
}

// tau and the effects of the schools by default, log tau where z is asked for; the same draws.
TEST_F(PosteriorServiceTest, DrawsAreOnTheScaleAskedFor) {
  const v1::Fit fit = AwaitEnd(
      MustCreate("target { eight_schools {} } schedule { iterations: 0 } method { aisivi {} } "
                 "family { hidden: 8 } proposal { couplings: 2 } start { warm_start: "
                 "WARM_START_NONE } evidence_settings { evidence_draws: 200 "
                 "evidence_inner_samples: 4 }"));
  ASSERT_EQ(fit.variables_size(), 4);
  const std::string name = "name: '" + fit.name() + "' ";
  for (const std::string resample : {"", "resample: true force: true "}) {
    const std::string request = name + resample + "count: 30 seed: 2 inner_samples: 4 ";
    const Draws shown = MustStream(request);
    const Draws same = MustStream(request + "scale: DRAW_SCALE_CONSTRAINED");
    const Draws z = MustStream(request + "scale: DRAW_SCALE_UNCONSTRAINED");
    ASSERT_EQ(shown.names.size(), 18u);
    ASSERT_EQ(shown.values.size(), 18u * 30);
    ASSERT_EQ(z.values.size(), 10u * 30);
    EXPECT_EQ(shown.names[1], "tau");
    EXPECT_EQ(shown.names[10], "theta[1]");
    EXPECT_EQ(z.names[1], "log_tau");
    EXPECT_EQ(shown.values, same.values);
    EXPECT_EQ(shown.log_p, z.log_p);
    for (int n = 0; n < 30; ++n) {
      const double *x = &shown.values[18 * n], *y = &z.values[10 * n];
      EXPECT_NEAR(x[1], std::exp(y[1]), 1e-12 * x[1]);
      EXPECT_NEAR(x[10], y[0] + std::exp(y[1]) * y[2], 1e-9 * (1 + std::fabs(x[10])));
    }
  }
  for (const std::string scale : {"", "scale: DRAW_SCALE_UNCONSTRAINED"}) {
    const size_t size = scale.empty() ? 18 : 10;
    grpc::ClientContext context;
    v1::PosteriorSummary summary;
    ASSERT_TRUE(posteriors_
                    ->SummarizePosterior(
                        &context, FromText<v1::SummarizePosteriorRequest>(name + scale), &summary)
                    .ok());
    ASSERT_EQ(static_cast<size_t>(summary.coordinates_size()), size);
    EXPECT_EQ(summary.coordinates(1).name(), scale.empty() ? "tau" : "log_tau");
    std::vector<double> covariance;
    ASSERT_TRUE(Covariance(FromText<v1::StreamCovarianceRequest>(name + scale), &covariance).ok());
    ASSERT_EQ(covariance.size(), size * size);
    EXPECT_NEAR(covariance[size + 1], std::pow(summary.coordinates(1).sd(), 2),
                1e-9 * covariance[size + 1]);
  }
}

// Limits count what is held: 18 numbers a draw, not the 10 of z.
TEST(DrawScaleTest, LimitsCountTheLargerScale) {
  v1::Fit fit;
  fit.set_dimension(10);
  EXPECT_EQ(HeldSize(fit, v1::DRAW_SCALE_CONSTRAINED), 10) << "of an earlier version";
  EXPECT_EQ(DrawSize(fit, v1::DRAW_SCALE_UNSPECIFIED), 10);
  v1::Variable* variable = fit.add_variables();
  variable->add_shape(2);
  variable->add_shape(3);
  EXPECT_EQ(DrawSize(fit, v1::DRAW_SCALE_UNSPECIFIED), 6);
  EXPECT_EQ(HeldSize(fit, v1::DRAW_SCALE_CONSTRAINED), 10);
  variable->add_shape(1000);
  EXPECT_EQ(HeldSize(fit, v1::DRAW_SCALE_CONSTRAINED), 6000);
  EXPECT_EQ(HeldSize(fit, v1::DRAW_SCALE_UNCONSTRAINED), 10);
  v1::StreamCovarianceRequest request;
  EXPECT_THAT(std::string(CheckCovarianceRequest(request, fit).message()), StartsWith("name: "));
  request.set_scale(v1::DRAW_SCALE_UNCONSTRAINED);
  EXPECT_TRUE(CheckCovarianceRequest(request, fit).ok());
  v1::StreamDrawsRequest draws;
  draws.set_count(2000);
  draws.set_resample(true);
  EXPECT_THAT(std::string(CheckDrawsRequest(draws, fit).message()), StartsWith("count: "));
}

// A fit that was stored without variables serves z under the names that it has.
TEST(DrawScaleTest, EarlierFitsShowZ) {
  FittedModel fitted;
  fitted.fit.set_dimension(2);
  fitted.fit.add_coordinate_names("mu");
  fitted.fit.add_coordinate_names("log_tau");
  Eigen::MatrixXd draws{{1, 2}, {3, 4}};
  const Eigen::MatrixXd before = draws;
  ASSERT_TRUE(ToScale(fitted, v1::DRAW_SCALE_CONSTRAINED, 0, 0, &draws).ok());
  EXPECT_EQ(draws, before);
  EXPECT_THAT(DrawNames(fitted, v1::DRAW_SCALE_CONSTRAINED), ElementsAre("mu", "log_tau"));
}

TEST_F(PosteriorServiceTest, LogDensityMatchesTheTarget) {
  auto request = FromText<v1::EvaluateLogDensityRequest>(
      "points { rows: 2 columns: 2 values: [1, -2, 2, -1] } inner_samples: 256");
  request.set_name(FittedGaussian());
  v1::LogDensityChunk response;
  ASSERT_TRUE(LogDensity(request, &response).ok());
  ASSERT_EQ(response.log_q_size(), 2);
  const double at_mean = -std::log(2 * M_PI) - 0.5 * std::log(1.75);
  EXPECT_NEAR(response.log_q(0), at_mean, 0.15);
  for (int i = 0; i < 2; ++i) {
    EXPECT_LE(response.lower(i), response.log_q(i));
    EXPECT_GE(response.upper(i), response.log_q(i));
  }
}

// Told as it goes, an estimate is the one that the engine makes in one piece.
TEST_F(PosteriorServiceTest, AnEstimateInPiecesIsTheWholeOne) {
  const v1::Fit fit = Get(FittedGaussian());
  auto request = FromText<v1::EstimateLogEvidenceRequest>("draws: 3000 inner_samples: 40 seed: 4");
  request.set_name(fit.name());
  v1::LogEvidence evidence;
  ASSERT_TRUE(Estimate(request, &evidence).ok());
  StartServer([](const Target& target, const FitOptions& options, ThreadPool& pool,
                 const FitControl& control) {
    absl::StatusOr<FitResult> result = RunFit(target, options, pool, control);
    if (result.ok())
      result->evidence = *EstimateEvidence(*result->model, target, 4, 3000, 40, pool);
    return result;
  });
  const v1::LogEvidence whole = Get(FittedGaussian()).evidence();
  EXPECT_EQ(evidence.log_z(), whole.log_z());
  EXPECT_EQ(evidence.standard_error(), whole.standard_error());
  EXPECT_EQ(evidence.elbo_lower_se(), whole.elbo_lower_se());
  EXPECT_EQ(evidence.ess(), whole.ess());
}

TEST_F(PosteriorServiceTest, LogDensitiesOfManyPointsTravelInChunks) {
  auto request = FromText<v1::EvaluateLogDensityRequest>("inner_samples: 1 seed: 3");
  request.set_name(FittedGaussian());
  constexpr int kPoints = 40'000;
  request.mutable_points()->set_rows(kPoints);
  request.mutable_points()->set_columns(2);
  for (int i = 0; i < 2 * kPoints; ++i) request.mutable_points()->add_values(std::sin(i));
  v1::LogDensityChunk all;
  ASSERT_TRUE(LogDensity(request, &all).ok());
  EXPECT_EQ(all.log_q_size(), kPoints);
  EXPECT_EQ(all.lower_size(), kPoints);
  EXPECT_EQ(all.upper_size(), kPoints);
}

TEST_F(PosteriorServiceTest, UnfinishedFitsAreRefusedByName) {
  const std::string name = MustCreate(kEndless);
  Draws draws;
  v1::StreamDrawsRequest request;
  request.set_name(name);
  grpc::Status status = Stream(request, &draws);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), StartsWith("name: " + name));
  EXPECT_EQ(Reason(status), "FIT_NOT_ENDED");
  v1::EstimateLogEvidenceRequest evidence_request;
  evidence_request.set_name(name);
  v1::LogEvidence evidence;
  status = Estimate(evidence_request, &evidence);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  request.set_name("fits/nonesuch");
  EXPECT_EQ(Stream(request, &draws).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(PosteriorServiceTest, RunningFitIsCancelled) {
  const std::string name = MustCreate(kEndless);
  {
    grpc::ClientContext context;
    v1::WatchFitRequest request;
    request.set_name(name);
    const auto reader = fits_->WatchFit(&context, request);
    v1::WatchFitResponse event;
    while (reader->Read(&event) && event.progress().iteration() == 0) continue;
    context.TryCancel();
  }
  grpc::ClientContext context;
  v1::CancelFitRequest request;
  request.set_name(name);
  v1::Fit fit;
  ASSERT_TRUE(fits_->CancelFit(&context, request, &fit).ok());
  EXPECT_EQ(AwaitEnd(name).state(), v1::Fit::STATE_CANCELLED);
}

TEST_F(PosteriorServiceTest, BadInputNamesItsField) {
  const std::string name = "name: '" + FittedGaussian() + "' ";
  Draws draws;
  for (const char* field :
       {"count: -1", "count: 10000001", "first: -1", "inner_samples: -1", "force: true",
        "first: 5 resample: true", "count: 9000000 resample: true", "scale: 7"}) {
    const grpc::Status status = Stream(FromText<v1::StreamDrawsRequest>(name + field), &draws);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << field;
    EXPECT_THAT(field, StartsWith(ViolatedField(status))) << status.error_message();
  }
  for (const char* field : {"count: 1", "count: 2000000", "probabilities: [0.5, 1.5]",
                            "probabilities: nan", "scale: 7"}) {
    grpc::ClientContext context;
    v1::PosteriorSummary summary;
    const grpc::Status status = posteriors_->SummarizePosterior(
        &context, FromText<v1::SummarizePosteriorRequest>(name + field), &summary);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << field;
    EXPECT_THAT(field, StartsWith(ViolatedField(status))) << status.error_message();
  }
  for (const char* field : {"count: 1", "count: 2000000"}) {
    std::vector<double> covariance;
    const grpc::Status status =
        Covariance(FromText<v1::StreamCovarianceRequest>(name + field), &covariance);
    EXPECT_EQ(ViolatedField(status), "count") << status.error_message();
  }
  for (const char* field : {"draws: 1", "draws: 100000000", "inner_samples: -2"}) {
    v1::LogEvidence evidence;
    const grpc::Status status =
        Estimate(FromText<v1::EstimateLogEvidenceRequest>(name + field), &evidence);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << field;
    EXPECT_THAT(field, StartsWith(ViolatedField(status))) << status.error_message();
  }
  for (const char* field : {"", "points { rows: 1 columns: 3 values: [1, 2, 3] }",
                            "points { rows: 1 columns: 2 values: [1, nan] }"}) {
    v1::LogDensityChunk response;
    const grpc::Status status =
        LogDensity(FromText<v1::EvaluateLogDensityRequest>(name + field), &response);
    EXPECT_EQ(ViolatedField(status), "points") << status.error_message();
  }
}

TEST(PosteriorLimitsTest, AFitsOwnInnerSamplesAreTakenHoweverMany) {
  v1::Fit fit;
  fit.set_dimension(1);
  auto* own = fit.mutable_effective_settings()->mutable_evidence_settings();
  own->set_evidence_draws(2);
  own->set_evidence_inner_samples(4194304);
  fit.mutable_evidence()->set_inner_samples(4194304);
  v1::Matrix point;
  point.set_rows(1);
  point.set_columns(1);
  point.add_values(0);
  EXPECT_TRUE(CheckPoints(point, 0, fit).ok()) << CheckPoints(point, 0, fit);
  EXPECT_THAT(std::string(CheckPoints(point, 4194304, fit).message()),
              StartsWith("inner_samples: "));
  v1::EstimateLogEvidenceRequest request;
  EXPECT_TRUE(CheckEvidenceRequest(request, fit).ok()) << CheckEvidenceRequest(request, fit);
  request.set_inner_samples(-1);
  EXPECT_THAT(std::string(CheckEvidenceRequest(request, fit).message()),
              StartsWith("inner_samples: "));
}

}  // namespace
}  // namespace aisivi::server
