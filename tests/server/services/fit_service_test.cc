// FitService through a real server, with a fake fit.
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/engine/allocations.h"
#include "tests/server/fake_fit.h"
#include "tests/server/services/server_fixture.h"

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

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
  EXPECT_EQ(created.state(), v1::Fit::QUEUED);
  EXPECT_EQ(created.effective_hyperparameters().iterations(), FitOptions().iterations);
  fake_->AwaitStarted(1);
  EXPECT_EQ(Get(created.name()).state(), v1::Fit::RUNNING);
  fake_->Release();
  const v1::Fit fit = AwaitEnd(created.name());
  EXPECT_EQ(fit.state(), v1::Fit::SUCCEEDED);
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
  request.mutable_fit()->mutable_hyperparameters()->set_points(0);
  EXPECT_EQ(ViolatedField(Create(request, &fit)), "fit.hyperparameters.points");
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
      {"target { banana {} } method: 'none_such'", "fit.method"},
      {"target { banana {} } preset: 'none_such'", "fit.preset"},
      {"target { banana {} } hyperparameters { latent: 'none_such' }",
       "fit.hyperparameters.latent"},
      {"target { banana {} } hyperparameters { inner_samples: 0 }",
       "fit.hyperparameters.inner_samples"},
      {"target { banana {} } hyperparameters { iterations: 10000000000 }",
       "fit.hyperparameters.iterations"},
      {"target { banana {} } hyperparameters { learning_rate: -inf }",
       "fit.hyperparameters.learning_rate"},
      {"target { banana {} } hyperparameters { time_limit: nan }",
       "fit.hyperparameters.time_limit"},
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
  test::ResetPeak();
  const int64_t before = test::BytesInUse();
  ASSERT_TRUE(Create(request, &fit).ok());
  EXPECT_EQ(fit.dimension(), 3901);
  // The coordinates' names are several times as large as x, and there are several copies.
  if (test::CountsAllocations()) {
    EXPECT_LT(test::PeakBytes() - before, 100 * static_cast<int64_t>(request.ByteSizeLong()));
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
  EXPECT_EQ(CancelAndAwait(name).state(), v1::Fit::CANCELLED);
  MustCreate("target { banana {} }");
}

TEST_F(FitServiceTest, DeleteWaitsForTheEndAndForgets) {
  const std::string name = MustCreate("target { banana {} }");
  const grpc::Status status = Delete(name);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Reason(status), "FIT_NOT_ENDED");
  EXPECT_EQ(CancelAndAwait(name).state(), v1::Fit::CANCELLED);
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
  EXPECT_EQ(Get(name, v1::FULL).target().logistic_regression().x().values_size(), 2);
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
  EXPECT_EQ(Get(name).state(), v1::Fit::SUCCEEDED);
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
  EXPECT_EQ(AwaitEnd(name).state(), v1::Fit::SUCCEEDED);
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
  EXPECT_EQ(event.progress().phase(), v1::FitProgress::TRAINING);
  fake_->Release();
  while (reader->Read(&event)) continue;
  EXPECT_TRUE(reader->Finish().ok());
  request.set_after_sequence(-1);
  grpc::ClientContext bad;
  const auto refused = fits_->WatchFit(&bad, request);
  EXPECT_FALSE(refused->Read(&event));
  EXPECT_EQ(ViolatedField(refused->Finish()), "after_sequence");
}

TEST_F(FitServiceTest, ShutdownEndsFitsAndStreams) {
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
  EXPECT_EQ(event.fit().state(), v1::Fit::CANCELLED);
  EXPECT_TRUE(running_reader->Finish().ok());
  while (waiting_reader->Read(&event)) continue;
  EXPECT_EQ(waiting_reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  shutdown.join();
  Restart(options);
  EXPECT_EQ(Get(running).state(), v1::Fit::CANCELLED);
  fake_->Release();
  EXPECT_EQ(AwaitEnd(waiting).state(), v1::Fit::SUCCEEDED);
}

}  // namespace
}  // namespace aisivi::server
