// FitService through a real server, with a fake fit.
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "tests/engine/allocations.h"
#include "tests/server/fake_fit.h"
#include "tests/server/services/server_fixture.h"

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

google::protobuf::Timestamp FromNow(double seconds) {
  const int64_t nanos = absl::ToUnixNanos(absl::Now() + absl::Seconds(seconds));
  google::protobuf::Timestamp time;
  time.set_seconds(nanos / 1'000'000'000);
  time.set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  return time;
}

bool Before(const google::protobuf::Timestamp& a, const google::protobuf::Timestamp& b) {
  return std::pair(a.seconds(), a.nanos()) < std::pair(b.seconds(), b.nanos());
}

class FitServiceTest : public ServerFixture {
 protected:
  void SetUp() override { Restart({}); }

  void Restart(const ServerOptions& options) {
    server_.reset();
    fake_ = std::make_unique<FakeFit>();
    StartServer(fake_->Function(), options);
  }

  v1::ListFitsResponse List(int page_size, const std::string& token,
                            const std::string& filter = "") {
    grpc::ClientContext context;
    v1::ListFitsRequest request;
    request.set_page_size(page_size);
    request.set_page_token(token);
    request.set_filter(filter);
    v1::ListFitsResponse response;
    const grpc::Status status = fits_->ListFits(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  // CancelFit itself waits for a moment only; the fit may take longer to end.
  v1::Fit CancelAndAwait(const std::string& name) {
    grpc::ClientContext context;
    v1::CancelFitRequest request;
    request.set_name(name);
    v1::Fit fit;
    EXPECT_TRUE(fits_->CancelFit(&context, request, &fit).ok());
    return AwaitEnd(name);
  }

  grpc::Status Update(const v1::UpdateFitRequest& request, v1::Fit* fit) {
    grpc::ClientContext context;
    return fits_->UpdateFit(&context, request, fit);
  }

  void AwaitGone(const std::string& name) {
    grpc::Status status;
    do {
      grpc::ClientContext context;
      v1::GetFitRequest request;
      request.set_name(name);
      v1::Fit fit;
      status = fits_->GetFit(&context, request, &fit);
    } while (status.ok());
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND) << status.error_message();
  }

  grpc::Status Delete(const std::string& name) {
    grpc::ClientContext context;
    v1::DeleteFitRequest request;
    request.set_name(name);
    google::protobuf::Empty empty;
    return fits_->DeleteFit(&context, request, &empty);
  }

  ~FitServiceTest() override { server_.reset(); }

  std::unique_ptr<FakeFit> fake_;
};

TEST_F(FitServiceTest, CreatesAndRunsAFit) {
  v1::Fit created;
  ASSERT_TRUE(Create("target { banana {} } display_name: 'b' seed: 3", &created).ok());
  EXPECT_THAT(created.name(), StartsWith("fits/"));
  EXPECT_EQ(created.state(), v1::Fit::STATE_QUEUED);
  EXPECT_EQ(created.effective_settings().schedule().iterations(), FitOptions().iterations);
  fake_->AwaitStarted(1);
  EXPECT_EQ(Get(created.name()).state(), v1::Fit::STATE_RUNNING);
  fake_->Release();
  const v1::Fit fit = AwaitEnd(created.name());
  EXPECT_EQ(fit.state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_EQ(fit.display_name(), "b");
  grpc::ClientContext context;
  v1::GetTrainingHistoryRequest request;
  request.set_name(fit.name());
  v1::TrainingHistory history;
  ASSERT_TRUE(fits_->GetTrainingHistory(&context, request, &history).ok());
  EXPECT_EQ(history.reports_size(), 2);
}

TEST_F(FitServiceTest, ValidateOnlyCreatesNothing) {
  v1::CreateFitRequest request;
  *request.mutable_fit() = FromText<v1::Fit>("target { banana {} }");
  request.set_validate_only(true);
  v1::Fit fit;
  ASSERT_TRUE(Create(request, &fit).ok());
  EXPECT_TRUE(fit.name().empty());
  EXPECT_EQ(fit.state(), v1::Fit::STATE_UNSPECIFIED);
  EXPECT_EQ(fit.dimension(), 2);
  EXPECT_EQ(List(0, "").fits_size(), 0);
  request.mutable_fit()->mutable_schedule()->set_points(0);
  EXPECT_EQ(ViolatedField(Create(request, &fit)), "fit.schedule.points");
}

TEST_F(FitServiceTest, BadInputNamesItsFieldAndTheServerGoesOn) {
  const struct {
    const char* fit;
    const char* field;
  } cases[] = {
      {"", "fit.target"},
      {"target {}", "fit.target"},
      {"target { logistic_regression { x { rows: 2 columns: 2 values: [1, 2, 3] } y: [0, 1] } }",
       "fit.target.logistic_regression.x"},
      {"target { logistic_regression { x { rows: 2 columns: 1 values: [1, 2] } y: [0, 1, 1] } }",
       "fit.target.logistic_regression.y"},
      {"target { logistic_regression { x { rows: 2 columns: 1 values: [1, nan] } y: [0, 1] } }",
       "fit.target.logistic_regression.x"},
      {"target { logistic_regression { x { rows: 2 columns: 1 values: [1, 2] } y: [0, 2] } }",
       "fit.target.logistic_regression.y"},
      {"target { gaussian { mean: 0 covariance { rows: 1 columns: 1 values: -1 } } }",
       "fit.target.gaussian.covariance"},
      {"target { gaussian { mean: [0, 0] covariance { rows: 2 columns: 2 values: [1, 2, 2, 1] } } "
       "}",
       "fit.target.gaussian.covariance"},
      {"target { conditioned_diffusion { noise: -0.1 } }",
       "fit.target.conditioned_diffusion.noise"},
      {"target { banana {} } preset: 'none_such'", "fit.preset"},
      {"target { banana {} } family { sigma_scale: 0 }", "fit.family.sigma_scale"},
      {"target { banana {} } method { aisivi { inner_samples: 0 } }",
       "fit.method.aisivi.inner_samples"},
      {"target { banana {} } schedule { iterations: 10000000000 }", "fit.schedule.iterations"},
      {"target { banana {} } schedule { learning_rate: -inf }", "fit.schedule.learning_rate"},
      {"target { banana {} } schedule { time_limit { nanos: -5 } }", "fit.schedule.time_limit"},
  };
  for (const auto& c : cases) {
    v1::Fit fit;
    const grpc::Status status = Create(c.fit, &fit);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << c.fit;
    EXPECT_THAT(status.error_message(), StartsWith(std::string(c.field) + ": ")) << c.fit;
    EXPECT_EQ(ViolatedField(status), c.field);
    EXPECT_EQ(Reason(status), "INVALID_FIELD");
  }
  EXPECT_EQ(List(0, "").fits_size(), 0);
  MustCreate("target { banana {} }");
}

// A linear regression with one observation of `features` features.
v1::CreateFitRequest WideRequest(int features) {
  v1::CreateFitRequest request;
  auto* target = request.mutable_fit()->mutable_target()->mutable_linear_regression();
  target->mutable_x()->set_rows(1);
  target->mutable_x()->set_columns(features);
  target->mutable_x()->mutable_values()->Resize(features, 0.5);
  target->add_y(1);
  request.set_validate_only(true);
  return request;
}

// A check takes memory in proportion to the request: D×D numbers would be 3,900 times as many.
TEST_F(FitServiceTest, ACheckCostsASmallMultipleOfItsRequest) {
  const v1::CreateFitRequest request = WideRequest(3900);
  v1::Fit fit;
  ASSERT_TRUE(Create(request, &fit).ok()) << "what is allocated once";
  aisivi::test::ResetPeak();
  const int64_t before = aisivi::test::BytesInUse();
  ASSERT_TRUE(Create(request, &fit).ok());
  EXPECT_EQ(fit.dimension(), 3901);
  // The coordinates' names are several times as large as x, and there are several copies.
  if (aisivi::test::CountsAllocations()) {
    EXPECT_LT(aisivi::test::PeakBytes() - before,
              100 * static_cast<int64_t>(request.ByteSizeLong()));
  }
}

TEST_F(FitServiceTest, MoreDimensionsThanAFitCanHoldAreRefusedByName) {
  v1::Fit fit;
  const grpc::Status status = Create(WideRequest(9999), &fit);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ViolatedField(status), "fit.target.linear_regression");
  EXPECT_THAT(status.error_message(), HasSubstr("10000 dimensions; at most 4096"));
}

// A request whose largest field is a matrix of about `bytes` bytes.
v1::CreateFitRequest LargeRequest(int bytes) {
  v1::CreateFitRequest request;
  v1::Matrix* x =
      request.mutable_fit()->mutable_target()->mutable_logistic_regression()->mutable_x();
  x->set_rows(bytes / 8192);
  x->set_columns(1024);
  x->mutable_values()->Resize(x->rows() * x->columns(), 1.0);
  return request;
}

TEST_F(FitServiceTest, LargeFieldsAreRefusedByName) {
  ServerOptions options;
  options.max_request_mb = 1;
  Restart(options);
  v1::Fit fit;
  grpc::Status status = Create(LargeRequest(3 << 19), &fit);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ViolatedField(status), "fit.target.logistic_regression.x");
  EXPECT_THAT(status.error_message(), HasSubstr("too large: 157"));

  auto request = FromText<v1::CreateFitRequest>("fit { target { banana {} } }");
  request.mutable_fit()->set_display_name(std::string(3 << 19, 'x'));
  EXPECT_EQ(ViolatedField(Create(request, &fit)), "fit.display_name");

  // An update too, whatever of it counts.
  v1::UpdateFitRequest update;
  *update.mutable_fit() = LargeRequest(3 << 19).fit();
  update.mutable_fit()->set_name(MustCreate("target { banana {} }"));
  update.mutable_update_mask()->add_paths("labels");
  EXPECT_EQ(ViolatedField(Update(update, &fit)), "fit.target.logistic_regression.x");

  // Above twice the limit the transport itself refuses.
  status = Create(LargeRequest(3 << 20), &fit);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("larger than max"));
  MustCreate("target { banana {} }");
}

TEST_F(FitServiceTest, AFieldOfAHundredMegabytesIsRefusedByName) {
  v1::Fit fit;
  const grpc::Status status = Create(LargeRequest(100 << 20), &fit);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ViolatedField(status), "fit.target.logistic_regression.x");
  MustCreate("target { banana {} }");
}

TEST_F(FitServiceTest, UnknownAndMalformedNames) {
  for (const auto& [name, code] :
       {std::pair<const char*, grpc::StatusCode>{"fits/nonesuch", grpc::StatusCode::NOT_FOUND},
        {"nonesuch", grpc::StatusCode::INVALID_ARGUMENT},
        {"fits/../../etc", grpc::StatusCode::INVALID_ARGUMENT},
        {"", grpc::StatusCode::INVALID_ARGUMENT}}) {
    grpc::ClientContext get, cancel, watch, history;
    v1::GetFitRequest get_request;
    get_request.set_name(name);
    v1::CancelFitRequest cancel_request;
    cancel_request.set_name(name);
    v1::WatchFitRequest watch_request;
    watch_request.set_name(name);
    v1::GetTrainingHistoryRequest history_request;
    history_request.set_name(name);
    v1::Fit fit;
    v1::TrainingHistory reports;
    const auto reader = fits_->WatchFit(&watch, watch_request);
    v1::WatchFitResponse event;
    EXPECT_FALSE(reader->Read(&event));
    for (const grpc::Status& status :
         {fits_->GetFit(&get, get_request, &fit), fits_->CancelFit(&cancel, cancel_request, &fit),
          fits_->GetTrainingHistory(&history, history_request, &reports), Delete(name),
          reader->Finish()}) {
      EXPECT_EQ(status.error_code(), code) << name;
      EXPECT_THAT(status.error_message(), StartsWith("name: ")) << name;
    }
  }
}

TEST_F(FitServiceTest, PagesThroughAllFitsOnce) {
  std::set<std::string> created;
  for (int i = 0; i < 7; ++i) created.insert(MustCreate("target { banana {} }"));
  std::set<std::string> listed;
  std::string token;
  int pages = 0;
  do {
    const v1::ListFitsResponse page = List(3, token);
    EXPECT_LE(page.fits_size(), 3);
    for (const v1::Fit& fit : page.fits()) EXPECT_TRUE(listed.insert(fit.name()).second);
    // A fit created meanwhile is newer than all pages to come.
    MustCreate("target { banana {} } labels { key: 'late' value: '1' }");
    token = page.next_page_token();
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(listed, created);
}

TEST_F(FitServiceTest, PagesStayBelowTheMessageLimit) {
  constexpr int kFits = 250;
  Restart({.max_queued = kFits});
  v1::CreateFitRequest request;
  request.mutable_fit()->mutable_target()->mutable_banana();
  for (int i = 0; i < 64; ++i) {
    (*request.mutable_fit()->mutable_labels())[absl::StrCat("key", i)] = std::string(256, 'x');
  }
  std::set<std::string> created;
  for (int i = 0; i < kFits; ++i) {
    v1::Fit fit;
    ASSERT_TRUE(Create(request, &fit).ok());
    created.insert(fit.name());
  }
  std::set<std::string> listed;
  std::string token;
  int pages = 0;
  do {
    const v1::ListFitsResponse page = List(1000, token);
    EXPECT_LT(page.ByteSizeLong(), size_t{4} << 20);
    for (const v1::Fit& fit : page.fits()) EXPECT_TRUE(listed.insert(fit.name()).second);
    token = page.next_page_token();
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(pages, 2);
  EXPECT_EQ(listed, created);
}

TEST_F(FitServiceTest, ListFiltersAndRefusesBadRequests) {
  const std::string name = MustCreate("target { banana {} } labels { key: 'owner' value: 'ann' }");
  MustCreate("target { banana {} }");
  fake_->AwaitStarted(2);
  EXPECT_EQ(List(0, "", "state=RUNNING AND labels.owner=ann").fits(0).name(), name);
  EXPECT_EQ(List(0, "", "state=QUEUED").fits_size(), 0);
  const std::string token = List(1, "", "state=RUNNING").next_page_token();
  ASSERT_FALSE(token.empty());
  const struct {
    const char* request;
    const char* field;
  } cases[] = {{"page_size: -1", "page_size"},
               {"page_token: 'made up'", "page_token"},
               {"filter: 'state=WALKING'", "filter"}};
  for (const auto& c : cases) {
    grpc::ClientContext context;
    v1::ListFitsResponse response;
    EXPECT_EQ(ViolatedField(
                  fits_->ListFits(&context, FromText<v1::ListFitsRequest>(c.request), &response)),
              c.field);
  }
  grpc::ClientContext context;
  v1::ListFitsRequest other_filter;
  other_filter.set_page_token(token);
  v1::ListFitsResponse response;
  EXPECT_EQ(ViolatedField(fits_->ListFits(&context, other_filter, &response)), "page_token");
}

TEST_F(FitServiceTest, RequestIdIsIdempotentAcrossRestarts) {
  v1::CreateFitRequest request;
  *request.mutable_fit() = FromText<v1::Fit>("target { banana {} }");
  request.set_request_id("c0ffee-1");
  v1::Fit first, again;
  ASSERT_TRUE(Create(request, &first).ok());
  ASSERT_TRUE(Create(request, &again).ok());
  EXPECT_EQ(first.name(), again.name());
  Restart({});
  ASSERT_TRUE(Create(request, &again).ok());
  EXPECT_EQ(first.name(), again.name());
  request.mutable_fit()->set_seed(2);
  EXPECT_EQ(ViolatedField(Create(request, &again)), "request_id");
  request.set_request_id("no spaces please");
  EXPECT_EQ(ViolatedField(Create(request, &again)), "request_id");
}

TEST_F(FitServiceTest, FullQueueSaysWhenToRetry) {
  ServerOptions options;
  options.max_running = 1;
  options.max_queued = 1;
  Restart(options);
  const std::string name = MustCreate("target { banana {} }");
  MustCreate("target { banana {} }");
  v1::Fit fit;
  const grpc::Status status = Create("target { banana {} }", &fit);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Reason(status), "QUEUE_FULL");
  google::rpc::Status rpc;
  ASSERT_TRUE(rpc.ParseFromString(status.error_details()));
  google::rpc::RetryInfo retry;
  bool found = false;
  for (const auto& any : rpc.details()) found |= any.UnpackTo(&retry);
  EXPECT_GT(retry.retry_delay().seconds(), 0);
  fake_->AwaitStarted(1);
  EXPECT_EQ(CancelAndAwait(name).state(), v1::Fit::STATE_CANCELLED);
  MustCreate("target { banana {} }");
}

TEST_F(FitServiceTest, DeleteWaitsForTheEndAndForgets) {
  const std::string name = MustCreate("target { banana {} }");
  const grpc::Status status = Delete(name);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Reason(status), "FIT_NOT_ENDED");
  EXPECT_EQ(CancelAndAwait(name).state(), v1::Fit::STATE_CANCELLED);
  EXPECT_TRUE(Delete(name).ok());
  EXPECT_EQ(Delete(name).error_code(), grpc::StatusCode::NOT_FOUND);
  Restart({});
  EXPECT_EQ(List(0, "").fits_size(), 0);
}

TEST_F(FitServiceTest, ViewsDifferInTheTargetsArrays) {
  const std::string name = MustCreate(
      "target { logistic_regression { x { rows: 2 columns: 1 values: [1, 2] } y: [0, 1] "
      "prior_precision: 3 } }");
  EXPECT_FALSE(Get(name).target().logistic_regression().has_x());
  EXPECT_EQ(Get(name).target().logistic_regression().prior_precision(), 3);
  EXPECT_EQ(Download(name).target().logistic_regression().x().values_size(), 2);
}

TEST_F(FitServiceTest, AFitHasAnIdentityAndSaysWhatComputes) {
  v1::Fit created, other;
  ASSERT_TRUE(Create("target { banana {} }", &created).ok());
  ASSERT_TRUE(Create("target { banana {} }", &other).ok());
  EXPECT_THAT(created.uid(), MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}"
                                          "-[0-9a-f]{12}"));
  EXPECT_NE(created.uid(), other.uid());
  EXPECT_FALSE(created.engine().version().empty());
  EXPECT_FALSE(created.engine().instruction_set().empty());
  EXPECT_THAT(created.engine().numeric_fingerprint(), MatchesRegex("[0-9a-f]{16}"));
  EXPECT_EQ(created.engine().numeric_fingerprint(), other.engine().numeric_fingerprint());
  fake_->AwaitStarted(1);
  const v1::Fit running = Get(created.name());
  EXPECT_NE(running.etag(), created.etag()) << "its state has changed";
  EXPECT_TRUE(Before(created.update_time(), running.update_time()));
  fake_->Release();
  const v1::Fit ended = AwaitEnd(created.name());
  EXPECT_EQ(ended.uid(), created.uid());
  EXPECT_NE(ended.etag(), running.etag());
  EXPECT_EQ(Get(created.name()).etag(), ended.etag());
}

TEST_F(FitServiceTest, UpdateChangesWhatTheMaskNamesAndNothingElse) {
  const std::string name =
      MustCreate("target { banana {} } display_name: 'a' labels { key: 'owner' value: 'ann' }");
  fake_->AwaitStarted(1);
  v1::UpdateFitRequest request;
  *request.mutable_fit() =
      FromText<v1::Fit>("display_name: 'b' seed: 99 labels { key: 'team' value: 'blue' }");
  request.mutable_fit()->set_name(name);
  request.mutable_update_mask()->add_paths("display_name");
  v1::Fit fit;
  ASSERT_TRUE(Update(request, &fit).ok());
  EXPECT_EQ(fit.display_name(), "b");
  EXPECT_THAT(fit.labels(), UnorderedElementsAre(Pair("owner", "ann")));
  EXPECT_EQ(fit.seed(), 1u);
  request.mutable_update_mask()->set_paths(0, "labels");
  ASSERT_TRUE(Update(request, &fit).ok());
  EXPECT_THAT(fit.labels(), UnorderedElementsAre(Pair("team", "blue")));
  fake_->Release();
  const v1::Fit ended = AwaitEnd(name);
  EXPECT_EQ(ended.display_name(), "b") << "also of a fit that ran meanwhile";
  EXPECT_THAT(ended.labels(), UnorderedElementsAre(Pair("team", "blue")));
  request.mutable_update_mask()->set_paths(0, "*");
  request.mutable_fit()->set_display_name("c");
  ASSERT_TRUE(Update(request, &fit).ok());
  server_.reset();
  StartServer(fake_->Function());
  EXPECT_EQ(Get(name).display_name(), "c") << "also after a restart";
  EXPECT_EQ(Get(name).etag(), fit.etag());
}

TEST_F(FitServiceTest, AFitGoesWhenItsTimeHasComeAndItHasEnded) {
  const std::string passed = MustCreate("target { banana {} } expire_time { seconds: 5 }");
  const std::string kept = MustCreate("target { banana {} } expire_time { seconds: 253402300799 }");
  fake_->AwaitStarted(1);
  EXPECT_EQ(Get(passed).state(), v1::Fit::STATE_RUNNING) << "not while it runs";
  fake_->Release();
  AwaitGone(passed);
  EXPECT_EQ(AwaitEnd(kept).state(), v1::Fit::STATE_SUCCEEDED);
  auto request = FromText<v1::UpdateFitRequest>("update_mask { paths: 'expire_time' }");
  request.mutable_fit()->set_name(kept);
  v1::Fit fit;
  ASSERT_TRUE(Update(request, &fit).ok());
  EXPECT_FALSE(fit.has_expire_time());
  request.mutable_fit()->mutable_expire_time()->set_seconds(1);
  ASSERT_TRUE(Update(request, &fit).ok());
  AwaitGone(kept);
  EXPECT_EQ(List(0, "").fits_size(), 0);
}

TEST_F(FitServiceTest, ATimeThatCameWhileTheServerWasDownIsKept) {
  const std::string name = MustCreate("target { banana {} }");
  fake_->AwaitStarted(1);
  fake_->Release();
  AwaitEnd(name);
  auto request = FromText<v1::UpdateFitRequest>("update_mask { paths: 'expire_time' }");
  request.mutable_fit()->set_name(name);
  *request.mutable_fit()->mutable_expire_time() = FromNow(0.3);
  v1::Fit fit;
  ASSERT_TRUE(Update(request, &fit).ok());
  server_.reset();
  StartServer(fake_->Function());
  AwaitGone(name);
}

TEST_F(FitServiceTest, BadUpdatesAreRefused) {
  const std::string name = MustCreate("target { banana {} } display_name: 'a'");
  const struct {
    const char* request;
    const char* field;
  } cases[] = {
      {"", "update_mask"},
      {"update_mask { paths: 'seed' }", "update_mask"},
      {"update_mask { paths: ['labels', 'state'] }", "update_mask"},
      {"fit { display_name: 'a\\nb' } update_mask { paths: '*' }", "fit.display_name"},
      {"fit { expire_time { nanos: -1 } } update_mask { paths: 'labels' }", "fit.expire_time"},
      {"fit { labels { key: 'A' value: '' } } update_mask { paths: '*' }", "fit.labels"}};
  v1::Fit fit;
  for (const auto& c : cases) {
    auto request = FromText<v1::UpdateFitRequest>(c.request);
    request.mutable_fit()->set_name(name);
    EXPECT_EQ(ViolatedField(Update(request, &fit)), c.field) << c.request;
  }
  auto request = FromText<v1::UpdateFitRequest>("update_mask { paths: 'labels' }");
  EXPECT_EQ(ViolatedField(Update(request, &fit)), "fit.name");
  request.mutable_fit()->set_name("fits/nonesuch");
  EXPECT_EQ(Update(request, &fit).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Get(name).display_name(), "a");
}

TEST_F(FitServiceTest, AnEtagGuardsAgainstChangesOfOthers) {
  const std::string name = MustCreate("target { banana {} }");
  fake_->AwaitStarted(1);
  const std::string seen = Get(name).etag();
  auto update = FromText<v1::UpdateFitRequest>("update_mask { paths: '*' }");
  update.mutable_fit()->set_name(name);
  update.mutable_fit()->set_etag(seen);
  v1::Fit fit;
  ASSERT_TRUE(Update(update, &fit).ok());
  const grpc::Status stale = Update(update, &fit);
  EXPECT_EQ(stale.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_THAT(stale.error_message(), StartsWith("fit.etag: "));
  EXPECT_EQ(Reason(stale), "ETAG_MISMATCH");
  v1::CancelFitRequest cancel;
  cancel.set_name(name);
  cancel.set_etag(seen);
  grpc::ClientContext contexts[3];
  EXPECT_EQ(fits_->CancelFit(&contexts[0], cancel, &fit).error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(Get(name).state(), v1::Fit::STATE_RUNNING);
  fake_->Release();
  AwaitEnd(name);
  v1::DeleteFitRequest remove;
  remove.set_name(name);
  remove.set_etag(seen);
  google::protobuf::Empty empty;
  EXPECT_EQ(fits_->DeleteFit(&contexts[1], remove, &empty).error_code(), grpc::StatusCode::ABORTED);
  remove.set_etag(Get(name).etag());
  EXPECT_TRUE(fits_->DeleteFit(&contexts[2], remove, &empty).ok());
}

TEST_F(FitServiceTest, ListsInTheOrderThatIsAskedFor) {
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.push_back(MustCreate("target { banana {} }"));
  const auto listed = [&](const std::string& order_by) {
    std::vector<std::string> result;
    v1::ListFitsRequest request;
    request.set_page_size(2);
    request.set_order_by(order_by);
    do {
      grpc::ClientContext context;
      v1::ListFitsResponse page;
      EXPECT_TRUE(fits_->ListFits(&context, request, &page).ok());
      for (const v1::Fit& fit : page.fits()) result.push_back(fit.name());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return result;
  };
  EXPECT_EQ(listed("create_time"), names);
  EXPECT_EQ(listed(" create_time  desc"), std::vector<std::string>(names.rbegin(), names.rend()));
  EXPECT_EQ(listed(""), listed("create_time desc"));
  for (const char* bad : {"name", "create_time up", "create_time, name", "desc"}) {
    grpc::ClientContext context;
    v1::ListFitsRequest request;
    request.set_order_by(bad);
    v1::ListFitsResponse page;
    EXPECT_EQ(ViolatedField(fits_->ListFits(&context, request, &page)), "order_by") << bad;
  }
  grpc::ClientContext contexts[2];
  auto request = FromText<v1::ListFitsRequest>("page_size: 2");
  v1::ListFitsResponse page;
  ASSERT_TRUE(fits_->ListFits(&contexts[0], request, &page).ok());
  request.set_page_token(page.next_page_token());
  request.set_order_by("create_time");
  EXPECT_EQ(ViolatedField(fits_->ListFits(&contexts[1], request, &page)), "page_token");
}

TEST_F(FitServiceTest, ALargeFitIsDownloadedInChunks) {
  v1::CreateFitRequest request;
  auto* regression = request.mutable_fit()->mutable_target()->mutable_linear_regression();
  constexpr int kRows = 300'000;
  regression->mutable_x()->set_rows(kRows);
  regression->mutable_x()->set_columns(2);
  for (int i = 0; i < 2 * kRows; ++i) regression->mutable_x()->add_values(std::sin(i));
  for (int i = 0; i < kRows; ++i) regression->add_y(std::cos(i));
  v1::Fit created;
  const grpc::Status status = Create(request, &created);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const v1::Fit fit = Download(created.name());
  EXPECT_EQ(fit.target().SerializeAsString(), request.fit().target().SerializeAsString());
  EXPECT_GT(fit.ByteSizeLong(), 4u << 20);
  grpc::ClientContext context;
  v1::DownloadFitRequest missing;
  missing.set_name("fits/nonesuch");
  const auto reader = fits_->DownloadFit(&context, missing);
  v1::FitChunk chunk;
  EXPECT_FALSE(reader->Read(&chunk));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(FitServiceTest, ManyWatchersSeeTheEndAndOneThatLeavesTouchesNothing) {
  const std::string name = MustCreate("target { banana {} }");
  fake_->AwaitStarted(1);
  v1::WatchFitRequest request;
  request.set_name(name);
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::WatchFitResponse>>> readers;
  v1::WatchFitResponse event;
  for (int i = 0; i < 50; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    readers.push_back(fits_->WatchFit(contexts.back().get(), request));
    ASSERT_TRUE(readers.back()->Read(&event));
    EXPECT_EQ(event.sequence(), 1);
  }
  for (int i = 0; i < 10; ++i) contexts[i]->TryCancel();
  for (int i = 2; i < 6; ++i) fake_->Report(FakeFit::Training(i));
  fake_->Release();
  for (int i = 0; i < 50; ++i) {
    bool ended = false;
    while (readers[i]->Read(&event)) ended = event.has_fit();
    EXPECT_EQ(readers[i]->Finish().ok(), ended) << i;
    if (i >= 10) {
      EXPECT_TRUE(ended) << i;
    }
  }
  EXPECT_EQ(Get(name).state(), v1::Fit::STATE_SUCCEEDED);
}

// For ThreadSanitizer above all: every handler at once, while the fit reports.
TEST_F(FitServiceTest, ManyClientsAskAtOnce) {
  const std::string name = MustCreate("target { banana {} } display_name: 'b'");
  fake_->AwaitStarted(1);
  const auto ask = [&] {
    const auto stub = v1::FitService::NewStub(channel_);
    for (int i = 0; i < 50; ++i) {
      grpc::ClientContext get, list, history;
      v1::Fit fit;
      v1::GetFitRequest get_request;
      get_request.set_name(name);
      EXPECT_TRUE(stub->GetFit(&get, get_request, &fit).ok());
      EXPECT_EQ(fit.display_name(), "b");
      EXPECT_GT(fit.coordinate_names_size(), 0);
      v1::ListFitsResponse page;
      EXPECT_TRUE(stub->ListFits(&list, v1::ListFitsRequest(), &page).ok());
      EXPECT_EQ(page.fits_size(), 1);
      v1::TrainingHistory reports;
      v1::GetTrainingHistoryRequest history_request;
      history_request.set_name(name);
      EXPECT_TRUE(stub->GetTrainingHistory(&history, history_request, &reports).ok());
    }
  };
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) clients.emplace_back(ask);
  for (int i = 2; i < 50; ++i) fake_->Report(FakeFit::Training(i));
  for (std::thread& client : clients) client.join();
  fake_->Release();
  EXPECT_EQ(AwaitEnd(name).state(), v1::Fit::STATE_SUCCEEDED);
}

TEST_F(FitServiceTest, WatchResumesAfterASequence) {
  const std::string name = MustCreate("target { banana {} }");
  fake_->AwaitStarted(1);
  v1::WatchFitRequest request;
  request.set_name(name);
  request.set_after_sequence(2);
  grpc::ClientContext context;
  const auto reader = fits_->WatchFit(&context, request);
  v1::WatchFitResponse event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.sequence(), 3);
  EXPECT_EQ(event.progress().phase(), v1::FitProgress::PHASE_TRAINING);
  fake_->Release();
  while (reader->Read(&event)) continue;
  EXPECT_TRUE(reader->Finish().ok());
  request.set_after_sequence(-1);
  grpc::ClientContext bad;
  const auto refused = fits_->WatchFit(&bad, request);
  EXPECT_FALSE(refused->Read(&event));
  EXPECT_EQ(ViolatedField(refused->Finish()), "after_sequence");
}

TEST_F(FitServiceTest, ShutdownInterruptsFitsAndEndsStreams) {
  ServerOptions options;
  options.max_running = 1;
  Restart(options);
  const std::string running = MustCreate("target { banana {} }");
  const std::string waiting = MustCreate("target { banana {} }");
  fake_->AwaitStarted(1);
  v1::WatchFitRequest request;
  grpc::ClientContext contexts[2];
  request.set_name(running);
  const auto running_reader = fits_->WatchFit(&contexts[0], request);
  request.set_name(waiting);
  const auto waiting_reader = fits_->WatchFit(&contexts[1], request);
  v1::WatchFitResponse event;
  ASSERT_TRUE(running_reader->Read(&event));
  ASSERT_TRUE(waiting_reader->Read(&event));
  std::thread shutdown([this] { server_->Shutdown(); });
  while (running_reader->Read(&event)) continue;
  EXPECT_FALSE(event.has_fit());
  EXPECT_EQ(running_reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  while (waiting_reader->Read(&event)) continue;
  EXPECT_EQ(waiting_reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  shutdown.join();
  Restart(options);
  fake_->Release();
  EXPECT_EQ(AwaitEnd(running).state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_EQ(AwaitEnd(waiting).state(), v1::Fit::STATE_SUCCEEDED);
}

}  // namespace
}  // namespace aisivi::server
