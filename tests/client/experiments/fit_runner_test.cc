// Resuming, against a service that only pretends to fit.
#include "client/experiments/fit_runner.h"

#include <gmock/gmock.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using grpc::ServerContext;
using testing::HasSubstr;

// Ends every fit at once; seeds tell it to do otherwise.
class PretendedFits : public v1::FitService::Service {
 public:
  static constexpr uint64_t kFails = 100, kHangs = 101, kIsCancelled = 102;

  grpc::Status CreateFit(ServerContext*, const v1::CreateFitRequest* request,
                         v1::Fit* fit) override {
    const std::lock_guard lock(mutex_);
    *fit = request->fit();
    if (fit->preset() == "nosuch") {
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "fit.preset: there is no \"nosuch\"");
    }
    if (request->validate_only()) return grpc::Status::OK;
    fit->set_name(absl::StrCat("fits/", ++created_));
    fits_[fit->name()] = *fit;
    return grpc::Status::OK;
  }

  grpc::Status WatchFit(ServerContext* context, const v1::WatchFitRequest* request,
                        grpc::ServerWriter<v1::WatchFitResponse>* writer) override {
    v1::WatchFitResponse event;
    event.set_sequence(1);
    {
      const std::lock_guard lock(mutex_);
      *event.mutable_fit() = fits_.at(request->name());
    }
    v1::Fit& fit = *event.mutable_fit();
    while (fit.seed() == kHangs && !context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    fit.set_state(fit.seed() == kFails         ? v1::Fit::STATE_FAILED
                  : fit.seed() == kIsCancelled ? v1::Fit::STATE_CANCELLED
                                               : v1::Fit::STATE_SUCCEEDED);
    fit.mutable_evidence()->set_log_z(0.5);
    writer->Write(event);
    return grpc::Status::OK;
  }

  grpc::Status CancelFit(ServerContext*, const v1::CancelFitRequest* request,
                         v1::Fit* fit) override {
    const std::lock_guard lock(mutex_);
    cancelled_.insert(request->name());
    return grpc::Status::OK;
  }

  grpc::Status DeleteFit(ServerContext*, const v1::DeleteFitRequest* request,
                         google::protobuf::Empty*) override {
    const std::lock_guard lock(mutex_);
    fits_.erase(request->name());
    return grpc::Status::OK;
  }

  int created() const { return created_; }
  size_t left() const { return fits_.size(); }
  const std::set<std::string>& cancelled() const { return cancelled_; }

 private:
  std::mutex mutex_;
  int created_ = 0;
  std::map<std::string, v1::Fit> fits_;
  std::set<std::string> cancelled_;
};

class FitRunnerTest : public testing::Test {
 protected:
  void SetUp() override {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&fits_);
    server_ = builder.BuildAndStart();
    client_ = std::make_unique<Client>(absl::StrCat("127.0.0.1:", port));
  }
  void TearDown() override { server_->Shutdown(); }

  static PlannedFit Planned(uint64_t seed) {
    PlannedFit fit;
    fit.key = {"banana", "aisivi", "", "iterations=20", seed};
    fit.title = absl::StrCat("banana, seed ", seed);
    return fit;
  }

  // Runs with a results file opened anew, as another process would.
  absl::StatusOr<std::vector<FitResult>> Run(const std::vector<PlannedFit>& plan,
                                             const Measure& measure = MeasureOne,
                                             std::stop_token stop = {}) {
    const auto file = ResultFile::Open(folder_ / "results.csv", "toy", {"kl"});
    EXPECT_TRUE(file.ok()) << file.status();
    testing::internal::CaptureStdout();
    absl::StatusOr<std::vector<FitResult>> results =
        FitRunner(*client_, file->get(), std::move(stop), false).Run(plan, measure);
    printed_ = testing::internal::GetCapturedStdout();
    return results;
  }

  static absl::Status MeasureOne(const Client&, const PlannedFit& plan, const v1::Fit&,
                                 FitResult* result) {
    result->measures["kl"] = 0.25;
    for (const std::filesystem::path& file : plan.files) WriteFile(file, "x");
    return absl::OkStatus();
  }

  Folder folder_;
  PretendedFits fits_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Client> client_;
  std::string printed_;
};

TEST_F(FitRunnerTest, RunsMeasuresAndDeletes) {
  const auto results = Run({Planned(1), Planned(2)});
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 2u);
  EXPECT_EQ((*results)[1].log_z, 0.5);
  EXPECT_EQ(MeasureOf((*results)[1], "kl"), 0.25);
  EXPECT_EQ(fits_.left(), 0u);
  EXPECT_THAT(printed_, HasSubstr("1/2  banana, seed 1:  kl 0.250, log Z 0.5000"));
  EXPECT_THAT(printed_, HasSubstr("2/2  banana, seed 2:"));
}

TEST_F(FitRunnerTest, WhatIsDoneIsNotRunAgain) {
  ASSERT_TRUE(Run({Planned(1), Planned(2)}).ok());
  const auto results = Run({Planned(1), Planned(2), Planned(3)});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(results->size(), 3u);
  EXPECT_EQ((*results)[0].log_z, 0.5);
  EXPECT_EQ(fits_.created(), 3);
  EXPECT_THAT(printed_, HasSubstr("2 of 3 are done already\n3/3  banana, seed 3:"));
}

TEST_F(FitRunnerTest, AResultWithoutItsFileIsMeasuredAgain) {
  PlannedFit plan = Planned(1);
  plan.files = {folder_ / "histogram.csv"};
  ASSERT_TRUE(Run({plan}).ok());
  ASSERT_TRUE(Run({plan}).ok());
  EXPECT_EQ(fits_.created(), 1);
  std::filesystem::remove(plan.files[0]);
  ASSERT_TRUE(Run({plan}).ok());
  EXPECT_EQ(fits_.created(), 2);
  EXPECT_TRUE(std::filesystem::exists(plan.files[0]));
}

TEST_F(FitRunnerTest, AFitThatFailedIsAResult) {
  const auto results = Run({Planned(PretendedFits::kFails), Planned(1)});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].state, "FAILED");
  EXPECT_TRUE((*results)[0].measures.empty());
  EXPECT_THAT(printed_, HasSubstr("seed 100:  FAILED\n"));
  ASSERT_TRUE(Run({Planned(PretendedFits::kFails)}).ok());
  EXPECT_EQ(fits_.created(), 2);
}

TEST_F(FitRunnerTest, AFitThatSomeoneCancelledIsAnError) {
  const auto results = Run({Planned(PretendedFits::kIsCancelled)});
  EXPECT_TRUE(absl::IsCancelled(results.status())) << results.status();
  EXPECT_THAT(std::string(results.status().message()), HasSubstr("fits/1: the fit was cancelled"));
}

TEST_F(FitRunnerTest, AStopCancelsTheFitThatRunsAndKeepsTheOthers) {
  std::stop_source source;
  std::jthread stopper([&] {
    while (fits_.created() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    source.request_stop();
  });
  const auto results =
      Run({Planned(1), Planned(PretendedFits::kHangs), Planned(2)}, MeasureOne, source.get_token());
  EXPECT_TRUE(absl::IsCancelled(results.status())) << results.status();
  EXPECT_TRUE(fits_.cancelled().contains("fits/2"));
  ASSERT_TRUE(Run({Planned(1)}).ok());
  EXPECT_EQ(fits_.created(), 2);
}

TEST_F(FitRunnerTest, AnErrorOfMeasuringIsReturnedAndNothingIsKept) {
  const auto results = Run({Planned(1)}, [](const Client&, const PlannedFit&, const v1::Fit&,
                                            FitResult*) { return absl::DataLossError("disk"); });
  EXPECT_TRUE(absl::IsDataLoss(results.status())) << results.status();
  EXPECT_EQ(fits_.left(), 0u);
  ASSERT_TRUE(Run({Planned(1)}).ok());
  EXPECT_EQ(fits_.created(), 2);
}

TEST_F(FitRunnerTest, AFieldThatDoesNotExistIsNamed) {
  PlannedFit plan = Planned(1);
  plan.key.set = "nosuch=1";
  EXPECT_THAT(std::string(Run({plan}).status().message()), HasSubstr("fit.nosuch"));
  plan = Planned(1);
  plan.key.target = "nosuch";
  EXPECT_THAT(std::string(Run({plan}).status().message()), HasSubstr("fit.target"));
  plan = Planned(1);
  plan.key.method = "nosuch";
  EXPECT_THAT(std::string(Run({plan}).status().message()), HasSubstr("fit.method"));
  plan = Planned(1);
  plan.key.set = "iterations";
  EXPECT_THAT(std::string(Run({plan}).status().message()), HasSubstr("--set"));
}

TEST_F(FitRunnerTest, WhatIsWrongComesOutBeforeAnythingRuns) {
  PlannedFit wrong = Planned(2);
  wrong.key.preset = "nosuch";
  const auto results = Run({Planned(1), wrong});
  EXPECT_TRUE(absl::IsInvalidArgument(results.status())) << results.status();
  EXPECT_THAT(std::string(results.status().message()), HasSubstr("fit.preset"));
  EXPECT_EQ(fits_.created(), 0);
}

TEST_F(FitRunnerTest, SettingsOfOtherMethodsAreLeftOut) {
  PlannedFit plan = Planned(1);
  plan.key.method = "gaussian";
  plan.key.set = "inner_samples=16 iterations=3";
  const absl::StatusOr<v1::Fit> fit = FitFor(plan);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_TRUE(fit->method().has_gaussian());
  EXPECT_EQ(fit->schedule().iterations(), 3);
}

TEST_F(FitRunnerTest, TheFitIsThatOfTheKey) {
  PlannedFit plan = Planned(7);
  plan.key.preset = "aisivi_banana";
  const absl::StatusOr<v1::Fit> fit = FitFor(plan);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_TRUE(fit->target().has_banana());
  EXPECT_TRUE(fit->method().has_aisivi());
  EXPECT_EQ(fit->preset(), "aisivi_banana");
  EXPECT_EQ(fit->seed(), 7u);
  EXPECT_EQ(fit->schedule().iterations(), 20);
  EXPECT_EQ(fit->labels().at("purpose"), "experiment");
}

TEST(ResultLine, TellsWhatWasMeasured) {
  FitResult result;
  result.state = "SUCCEEDED";
  result.log_z = 0.00012;
  result.elbo_lower = -0.12;
  result.seconds = 12.34;
  result.measures = {{"forward_kl", 0.08531}};
  EXPECT_EQ(ResultLine(result), "forward_kl 0.0853, ELBO -0.1200, log Z 0.0001, 12.3 s");
}

}  // namespace
}  // namespace aisivi::experiments
