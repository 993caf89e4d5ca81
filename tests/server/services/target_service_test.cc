// TargetService through a real server; and the standard services beside it.
#include <atomic>
#include <cmath>
#include <string>
#include <vector>

#include "engine/parallel/instruction_set.h"
#include "engine/targets/registry.h"
#include "gmock/gmock.h"
#include "server/convert/target_spec.h"
#include "server/services/target_check.h"
#include "tests/server/services/server_fixture.h"

namespace aisivi::server {
namespace {

class TargetServiceTest : public ServerFixture {
 protected:
  void SetUp() override {
    StartServer([](const Target&, const FitOptions&, ThreadPool&,
                   const FitControl&) -> absl::StatusOr<FitResult> {
      return absl::InternalError("not here");
    });
  }

  grpc::Status Check(const std::string& request, v1::CheckTargetResponse* response) {
    grpc::ClientContext context;
    return targets_->CheckTarget(&context, FromText<v1::CheckTargetRequest>(request), response);
  }
};

TEST_F(TargetServiceTest, ListsAllTargetsInPages) {
  std::vector<std::string> names;
  v1::ListTargetsRequest request;
  request.set_page_size(4);
  v1::ListTargetsResponse response;
  do {
    grpc::ClientContext context;
    ASSERT_TRUE(targets_->ListTargets(&context, request, &response).ok());
    EXPECT_LE(response.targets_size(), 4);
    EXPECT_EQ(response.engine().version(), Version());
    EXPECT_EQ(response.engine().instruction_set(), EngineInstructionSet());
    for (const v1::TargetInfo& info : response.targets()) {
      names.push_back(info.name());
      EXPECT_FALSE(info.doc().empty() || info.dimension_rule().empty()) << info.name();
    }
    request.set_page_token(response.next_page_token());
  } while (!response.next_page_token().empty());
  std::vector<std::string> registered;
  for (const TargetEntry& entry : TargetRegistry()) registered.push_back(entry.name);
  registered.push_back("stan");
  EXPECT_EQ(names, registered);
}

TEST_F(TargetServiceTest, TellsParametersAndKnownEvidence) {
  grpc::ClientContext context;
  v1::ListTargetsResponse response;
  ASSERT_TRUE(targets_->ListTargets(&context, v1::ListTargetsRequest(), &response).ok());
  bool seen = false;
  for (const v1::TargetInfo& info : response.targets()) {
    if (info.name() == "banana") {
      EXPECT_EQ(info.known_log_z(), 0);
    }
    if (info.name() != "logistic_regression") continue;
    seen = true;
    EXPECT_FALSE(info.has_known_log_z());
    ASSERT_EQ(info.parameters_size(), 3);
    EXPECT_EQ(info.parameters(0).name(), "x");
    EXPECT_EQ(info.parameters(0).kind(), v1::TargetParameter::KIND_MATRIX);
    EXPECT_TRUE(info.parameters(0).required());
    EXPECT_FALSE(info.parameters(2).required());
    EXPECT_EQ(info.parameters(2).default_value(), "0.01");
  }
  EXPECT_TRUE(seen);
}

TEST_F(TargetServiceTest, ChecksScoresOfATarget) {
  v1::CheckTargetResponse response;
  ASSERT_TRUE(
      Check("target { banana {} } points { rows: 2 columns: 2 values: [0, -1, 1, 2] }", &response)
          .ok());
  EXPECT_TRUE(response.passed());
  EXPECT_EQ(response.dimension(), 2);
  EXPECT_EQ(response.known_log_z(), 0);
  ASSERT_EQ(response.log_density_size(), 2);
  // At (0, -1) the Gaussian's argument is 0.
  EXPECT_NEAR(response.log_density(0), -std::log(2 * M_PI * std::sqrt(1 - 0.81)), 1e-12);
  EXPECT_NEAR(response.scores().values(0), 0, 1e-12);
  EXPECT_EQ(response.finite_differences().rows(), 2);
  ASSERT_TRUE(Check("target { funnel {} }", &response).ok());
  EXPECT_TRUE(response.passed());
  EXPECT_EQ(response.points().rows(), 8);
  EXPECT_EQ(response.points().columns(), 10);
}

TEST_F(TargetServiceTest, BadInputNamesItsField) {
  const struct {
    const char* request;
    const char* field;
  } cases[] = {
      {"", "target"},
      {"target { gaussian { mean: 0 } }", "target.gaussian.covariance"},
      {"target { banana {} } points { rows: 1 columns: 1 values: 0 }", "points"},
      {"target { banana {} } points { rows: 1 columns: 2 values: [0, inf] }", "points"},
      {"target { banana {} } step: -1", "step"},
      {"target { banana {} } step: nan", "step"},
  };
  for (const auto& c : cases) {
    v1::CheckTargetResponse response;
    const grpc::Status status = Check(c.request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << c.request;
    EXPECT_EQ(ViolatedField(status), c.field) << c.request;
  }
}

// Differences in D coordinates at N points take 2 D N evaluations, each of which reads the data.
TEST_F(TargetServiceTest, TheWorkOfACheckIsBounded) {
  v1::CheckTargetRequest request;
  auto* target = request.mutable_target()->mutable_poisson_regression();
  target->mutable_x()->set_rows(500);
  target->mutable_x()->set_columns(500);
  target->mutable_x()->mutable_values()->Resize(250'000, 0.01);
  target->mutable_y()->Resize(500, 1);
  request.mutable_points()->set_rows(250);
  request.mutable_points()->set_columns(500);
  request.mutable_points()->mutable_values()->Resize(125'000, 0.1);
  request.mutable_points()->set_rows(251);
  v1::CheckTargetResponse response;
  {
    grpc::ClientContext context;
    request.mutable_points()->mutable_values()->Resize(125'500, 0.1);
    EXPECT_EQ(ViolatedField(targets_->CheckTarget(&context, request, &response)), "points");
  }
  // Every size is in range by itself here.
  target->mutable_x()->set_rows(10'000);
  target->mutable_x()->mutable_values()->Resize(5'000'000, 0.01);
  target->mutable_y()->Resize(10'000, 1);
  request.mutable_points()->set_rows(250);
  request.mutable_points()->mutable_values()->Resize(125'000, 0.1);
  grpc::ClientContext context;
  const grpc::Status status = targets_->CheckTarget(&context, request, &response);
  EXPECT_EQ(ViolatedField(status), "points");
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("199 points at once"));
}

// log p = −‖z‖²/2 with a score that is wrong in the last coordinate.
class WrongTarget : public Target {
 public:
  int dim() const override { return 100; }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    *log_density = -0.5 * z.colwise().squaredNorm().transpose();
    if (score != nullptr) {
      *score = -z;
      score->row(99).array() += 0.5;
    }
    return absl::OkStatus();
  }
};

TEST(TargetCheckTest, FindsAWrongScore) {
  std::atomic<bool> cancel{false};
  const absl::StatusOr<TargetCheck> check =
      CheckScores(WrongTarget(), Eigen::MatrixXd::Constant(100, 3, 0.25), 1e-5, &cancel);
  ASSERT_TRUE(check.ok());
  EXPECT_NEAR(check->max_relative_error, 0.5, 1e-6);
  EXPECT_TRUE((check->scores - check->differences).topRows(99).isZero(1e-6));
  cancel = true;
  EXPECT_TRUE(absl::IsCancelled(
      CheckScores(WrongTarget(), Eigen::MatrixXd::Zero(100, 3), 1e-5, &cancel).status()));
}

}  // namespace
}  // namespace aisivi::server
