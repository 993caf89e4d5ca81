#include "engine/evidence/resample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "tests/engine/evidence/testing.h"

namespace aisivi {
namespace {

using test::LineGaussian;
using test::StandardNormal;
using ::testing::ElementsAre;

constexpr double kNegInf = -std::numeric_limits<double>::infinity();

Eigen::VectorXd Logs(std::initializer_list<double> weights) {
  Eigen::VectorXd logs(static_cast<int64_t>(weights.size()));
  int64_t i = 0;
  for (const double w : weights) logs[i++] = std::log(w);
  return logs;
}

TEST(SystematicResampleTest, CountsFollowTheWeights) {
  for (const double u : {0.0, 0.3, 0.999999}) {
    EXPECT_THAT(SystematicResample(Logs({1, 3}), 4, u), ElementsAre(0, 1, 1, 1));
    EXPECT_THAT(SystematicResample(Logs({2, 2, 2, 2}), 4, u), ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(SystematicResample(Logs({0, 5, 0, 5, 0}), 2, u), ElementsAre(1, 3));
  }
  // Positions 0.25, 0.75 of (0.4, 0.6), then 0.45, 0.95.
  EXPECT_THAT(SystematicResample(Logs({2, 3}), 2, 0.5), ElementsAre(0, 1));
  EXPECT_THAT(SystematicResample(Logs({2, 3}), 2, 0.9), ElementsAre(1, 1));
}

TEST(SystematicResampleTest, EveryDrawComesAsOftenAsItsWeightSaysToWithinOne) {
  test::Random random(3);
  constexpr int64_t kCount = 777;
  const Eigen::VectorXd logs =
      300 * Eigen::VectorXd::Ones(1000) + test::Normals(1000, 1, 2, random);
  const Eigen::ArrayXd share = (logs.array() - logs.maxCoeff()).exp();
  const Eigen::ArrayXd expected = kCount * share / share.sum();
  for (const double u : {0.0, 0.5, 0.99}) {
    Eigen::ArrayXd counts = Eigen::ArrayXd::Zero(1000);
    const std::vector<int64_t> chosen = SystematicResample(logs, kCount, u);
    EXPECT_EQ(chosen.size(), static_cast<size_t>(kCount));
    EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
    for (const int64_t j : chosen) counts[j] += 1;
    EXPECT_LT((counts - expected).abs().maxCoeff(), 1 + 1e-9);
  }
}

TEST(ResampleTest, MovesAWrongModelToTheTruth) {
  ThreadPool pool(2);
  const auto target = LineGaussian(0.7, 0.8);
  constexpr int64_t kCount = 5000;
  const auto plain = Draw(*StandardNormal(), target.get(), 6, 0, kCount, 4, pool);
  ASSERT_TRUE(plain.ok()) << plain.status();
  const auto resampled = Resample(*StandardNormal(), *target, 6, kCount, 4, pool);
  ASSERT_TRUE(resampled.ok()) << resampled.status();
  EXPECT_EQ(resampled->pool, 20000);
  EXPECT_NE(resampled->tail, Verdict::kDoNotTrust);
  ASSERT_EQ(resampled->z.cols(), kCount);
  const auto sd = [](const Eigen::MatrixXd& z) {
    return std::sqrt((z.array() - z.mean()).square().mean());
  };
  EXPECT_LT(plain->z.mean(), 0.1);
  // 5 standard errors of 10⁴ effective draws in the pool, and of choosing 5000 from it.
  EXPECT_NEAR(resampled->z.mean(), 0.7, 0.05);
  EXPECT_NEAR(sd(resampled->z), 0.8, 0.05);
  EXPECT_GT(sd(plain->z), 0.9);
  Eigen::VectorXd log_p;
  ASSERT_TRUE(target->Evaluate(resampled->z, &log_p, nullptr).ok());
  EXPECT_EQ(resampled->log_p, log_p) << "the terms belong to their draws";
}

TEST(ResampleTest, EqualWeightsGiveDistinctDrawsOfTheModel) {
  ThreadPool pool(2);
  const auto resampled = Resample(*StandardNormal(), *LineGaussian(0, 1), 2, 100, 4, pool);
  ASSERT_TRUE(resampled.ok()) << resampled.status();
  EXPECT_EQ(resampled->pool, 4096);
  EXPECT_EQ(resampled->tail, Verdict::kGood);
  std::vector<double> values(resampled->z.data(), resampled->z.data() + 100);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(std::unique(values.begin(), values.end()), values.end());
}

TEST(ResampleTest, AModelFarFromTheTruthIsNotToBeTrusted) {
  ThreadPool pool(2);
  const auto resampled = Resample(*StandardNormal(), *LineGaussian(5, 1), 2, 1000, 4, pool);
  ASSERT_TRUE(resampled.ok()) << resampled.status();
  EXPECT_GT(resampled->pareto_k, 0.7);
  EXPECT_EQ(resampled->tail, Verdict::kDoNotTrust);
  EXPECT_EQ(resampled->z.cols(), 1000) << "refusing is the caller's business";
}

TEST(ResampleTest, DependsOnTheSeedAndOnNothingElse) {
  const auto target = LineGaussian(0.5, 0.9);
  ThreadPool one(1), three(3);
  const auto a = Resample(*StandardNormal(), *target, 3, 300, 4, one);
  const auto b = Resample(*StandardNormal(), *target, 3, 300, 4, three);
  const auto c = Resample(*StandardNormal(), *target, 4, 300, 4, three);
  ASSERT_TRUE(a.ok() && b.ok() && c.ok());
  EXPECT_EQ(a->z, b->z);
  EXPECT_EQ(a->log_q, b->log_q);
  EXPECT_EQ(a->pareto_k, b->pareto_k);
  EXPECT_NE(a->z, c->z);
}

// Zero everywhere, or not a number where z < 0.
class BrokenTarget : public Target {
 public:
  explicit BrokenTarget(bool everywhere) : everywhere_(everywhere) {}
  int dim() const override { return 1; }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    *log_density = -0.5 * z.row(0).array().square().transpose();
    for (int64_t j = 0; j < z.cols(); ++j) {
      if (everywhere_) (*log_density)[j] = kNegInf;
      if (!everywhere_ && z(0, j) < 0) (*log_density)[j] = std::nan("");
    }
    return absl::OkStatus();
  }

 private:
  bool everywhere_;
};

TEST(ResampleTest, DrawsWithoutWeightAreNeverChosen) {
  ThreadPool pool(2);
  const auto half = Resample(*StandardNormal(), BrokenTarget(false), 2, 500, 4, pool);
  ASSERT_TRUE(half.ok()) << half.status();
  EXPECT_GE(half->z.minCoeff(), 0);
  const absl::Status none =
      Resample(*StandardNormal(), BrokenTarget(true), 2, 500, 4, pool).status();
  EXPECT_EQ(none.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(none.message()), ::testing::StartsWith("resample: "));
}

TEST(ResampleTest, BadArgumentsAreRefusedByNameAndCancelIsHeeded) {
  ThreadPool pool(1);
  const auto target = LineGaussian(0, 1);
  const auto refused = [&](int64_t count, int64_t inner_samples, const std::string& field) {
    const absl::Status status =
        Resample(*StandardNormal(), *target, 1, count, inner_samples, pool).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), ::testing::StartsWith(field + ": "));
  };
  refused(0, 4, "count");
  refused((int64_t{1} << 23) + 1, 4, "count");
  refused(int64_t{1} << 62, 4, "count");
  refused(10, 0, "inner_samples");
  refused(10, int64_t{1} << 40, "inner_samples");
  const std::atomic<bool> cancel{true};
  EXPECT_EQ(Resample(*StandardNormal(), *target, 1, 10, 4, pool, &cancel).status().code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace aisivi
