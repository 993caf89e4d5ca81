#include "engine/evidence/score.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/engine/evidence/testing.h"

namespace aisivi {
namespace {

using test::ExpectRefused;
using test::MakeComponent;
using test::MakeModel;
using test::Normals;
using test::Random;
using test::TwoComponents;
using test::WrongLineModel;

constexpr InnerSampleSource kBoth[] = {InnerSampleSource::kProposal, InnerSampleSource::kPrior};

ScoreEstimate MustEvaluate(const Model& model, const Eigen::MatrixXd& z,
                           const ScoreRequest& request, ThreadPool& pool) {
  absl::StatusOr<ScoreEstimate> estimate = EvaluateScore(model, z, request, pool);
  EXPECT_TRUE(estimate.ok()) << estimate.status();
  return *std::move(estimate);
}

// N(shift, A Aᵀ) exactly: as its family and proposal started, or, `moved`, so that inner samples
// are needed all the same (one weight is as good as zero).
std::shared_ptr<const Model> ExactGaussian(int64_t dim, bool moved, Eigen::VectorXd* shift,
                                           Eigen::MatrixXd* precision) {
  Random random(3);
  *shift = Normals(dim, 1, 2, random);
  const Eigen::MatrixXd scale = test::RandomScale(dim, random);
  *precision = (scale * scale.transpose()).inverse();
  Component component = MakeComponent({.dim = dim, .latent = dim}, *shift, scale, 1, random);
  if (moved) component.family.parameters().tail(1)[0] = 1e-12f;
  return MakeModel({component});
}

TEST(ScoreTest, OfAGaussianIsInClosedForm) {
  ThreadPool pool(2);
  Random random(4);
  for (const bool moved : {false, true}) {
    Eigen::VectorXd shift;
    Eigen::MatrixXd precision;
    const auto model = ExactGaussian(4, moved, &shift, &precision);
    const Eigen::MatrixXd z = Normals(4, 30, 2, random);
    const Eigen::MatrixXd truth = -precision * (z.colwise() - shift);
    // The proposal begins at the exact reverse conditional, with a control variate: any K will do.
    const ScoreEstimate e = MustEvaluate(*model, z, {.seed = 1, .inner_samples = 3}, pool);
    EXPECT_LT((e.score - truth).cwiseAbs().maxCoeff(), 1e-3 * truth.cwiseAbs().maxCoeff());
    EXPECT_NEAR(e.ess.minCoeff(), 3, 1e-3);
    const double log_det = std::log(precision.determinant());
    for (int64_t j = 0; j < z.cols(); ++j) {
      const double log_q = -0.5 * (z.col(j) - shift).dot(precision * (z.col(j) - shift)) +
                           0.5 * log_det - 2 * std::log(2 * M_PI);
      EXPECT_NEAR(e.log_q[j], log_q, 1e-3);
    }
  }
}

TEST(ScoreTest, FromThePriorItConvergesToTheClosedForm) {
  ThreadPool pool(2);
  Random random(4);
  Eigen::VectorXd shift;
  Eigen::MatrixXd precision;
  const auto model = ExactGaussian(2, false, &shift, &precision);
  const Eigen::MatrixXd z = Normals(2, 40, 0.7, random).colwise() + shift;
  const Eigen::MatrixXd truth = -precision * (z.colwise() - shift);
  double last = std::numeric_limits<double>::infinity();
  for (const int64_t k : {30, 1000, 30000}) {
    const ScoreEstimate e = MustEvaluate(
        *model, z, {.seed = 2, .inner_samples = k, .source = InnerSampleSource::kPrior}, pool);
    const double error = (e.score - truth).norm() / truth.norm();
    EXPECT_GT(error, 0) << "it is an estimate";
    EXPECT_LT(error, 0.6 * last) << k;
    EXPECT_LT(e.ess.maxCoeff(), 0.9 * static_cast<double>(k));
    EXPECT_GE(e.ess.minCoeff(), 1 - 1e-6);
    last = error;
  }
  EXPECT_LT(last, 0.05);
}

// Of a model in one dimension, by quadrature.
Eigen::MatrixXd LineScore(const ModelState& state, const Eigen::MatrixXd& z) {
  Eigen::ArrayXXd density = Eigen::ArrayXXd::Zero(1, z.cols()), slope = density;
  for (const Component& c : state.components) {
    const double shift = c.affine.shift[0], scale = c.affine.scale(0, 0);
    const test::LatentGrid grid = test::MakeLatentGrid(c.family.config(), 1500);
    const test::MarginalTruth truth =
        test::Marginal(c.family, grid, ((z.array() - shift) / scale).matrix());
    const Eigen::ArrayXXd q =
        std::exp(c.log_weight) / scale * truth.log_q.transpose().array().exp();
    density += q;
    slope += q * truth.score.array() / scale;
  }
  return slope / density;
}

TEST(ScoreTest, BothSourcesAgreeWithTheQuadrature) {
  ThreadPool pool(2);
  const Eigen::MatrixXd z = Eigen::RowVectorXd::LinSpaced(23, -3, 3);
  for (const auto& model :
       {WrongLineModel(5), WrongLineModel(3, false), TwoComponents(1), TwoComponents(3)}) {
    const Eigen::MatrixXd truth = LineScore(model->state(), z);
    for (const InnerSampleSource source : kBoth) {
      const ScoreEstimate e =
          MustEvaluate(*model, z, {.seed = 7, .inner_samples = 40000, .source = source}, pool);
      for (int64_t j = 0; j < z.cols(); ++j) {
        EXPECT_NEAR(e.score(0, j), truth(0, j), 0.08) << z(0, j);
        EXPECT_GT(e.ess[j], 100);
        EXPECT_LE(e.ess[j], 40000 * (1 + 1e-9));
      }
    }
  }
}

TEST(ScoreTest, AListInWholeBlocksIsTheListAtOnce) {
  ThreadPool pool(2);
  const auto model = WrongLineModel(5);
  const int64_t block = ScoreBlock(1);
  const Eigen::MatrixXd z = Eigen::RowVectorXd::LinSpaced(2 * block + 9, -3, 3);
  for (const InnerSampleSource source : kBoth) {
    ScoreRequest request{.seed = 3, .inner_samples = 50, .source = source};
    const ScoreEstimate all = MustEvaluate(*model, z, request, pool);
    EXPECT_NE(all.score.col(0), MustEvaluate(*model, z.leftCols(1), {.seed = 4}, pool).score);
    request.first_block = 2;
    const ScoreEstimate last = MustEvaluate(*model, z.rightCols(9), request, pool);
    EXPECT_EQ(last.score, all.score.rightCols(9));
    EXPECT_EQ(last.log_q, all.log_q.tail(9));
    EXPECT_EQ(last.ess, all.ess.tail(9));
  }
}

TEST(ScoreTest, SameBitsAtAnyThreadCount) {
  ThreadPool one(1), three(3);
  const Eigen::MatrixXd z = Eigen::RowVectorXd::LinSpaced(300, -3, 3);
  for (const auto& model : {WrongLineModel(5), TwoComponents(2, true, 0.1)}) {
    for (const InnerSampleSource source : kBoth) {
      const ScoreRequest request{.seed = 3, .inner_samples = 700, .source = source};
      const ScoreEstimate a = MustEvaluate(*model, z, request, one);
      const ScoreEstimate b = MustEvaluate(*model, z, request, three);
      EXPECT_EQ(a.score, b.score);
      EXPECT_EQ(a.log_q, b.log_q);
      EXPECT_EQ(a.ess, b.ess);
      ScoreRequest other = request;
      other.seed = 4;
      EXPECT_NE(a.score, MustEvaluate(*model, z, other, one).score);
    }
  }
}

TEST(ScoreTest, BlocksStayBelowAMegabyte) {
  EXPECT_EQ(ScoreBlock(1), 256);
  EXPECT_EQ(ScoreBlock(510), 256);
  for (const int64_t dim : {511, 4096, 10000, 1 << 20}) {
    EXPECT_GE(ScoreBlock(dim), 1);
    EXPECT_LE(ScoreBlock(dim) * (dim + 2), std::max<int64_t>(1 << 17, dim + 2));
  }
}

TEST(ScoreTest, BadArgumentsAreRefusedByName) {
  ThreadPool pool(1);
  const auto model = WrongLineModel(1);
  ExpectRefused(EvaluateScore(*model, Eigen::MatrixXd::Zero(2, 3), {}, pool).status(), "points");
  Eigen::MatrixXd z = Eigen::MatrixXd::Zero(1, 3);
  for (const int64_t k : {int64_t{0}, int64_t{-1}, int64_t{1} << 40}) {
    ExpectRefused(EvaluateScore(*model, z, {.inner_samples = k}, pool).status(), "inner_samples");
  }
  for (const int64_t block : {int64_t{-1}, int64_t{1} << 32}) {
    ExpectRefused(EvaluateScore(*model, z, {.first_block = block}, pool).status(), "first_block");
  }
  z(0, 1) = std::numeric_limits<double>::quiet_NaN();
  ExpectRefused(EvaluateScore(*model, z, {}, pool).status(), "points");
}

TEST(ScoreTest, ASetOfDrawsHasNone) {
  ThreadPool pool(1);
  DrawSet set;
  set.z = Eigen::RowVectorXd::LinSpaced(20, 0, 1);
  set.log_p = Eigen::VectorXd::Zero(20);
  const auto model = MakeModel(std::move(set));
  EXPECT_EQ(EvaluateScore(*model, Eigen::MatrixXd::Zero(1, 2), {}, pool).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(ScoreTest, NothingAskedNothingGiven) {
  ThreadPool pool(1);
  const ScoreEstimate e = MustEvaluate(*WrongLineModel(1), Eigen::MatrixXd(1, 0), {}, pool);
  EXPECT_EQ(e.score.rows(), 1);
  EXPECT_EQ(e.score.cols(), 0);
  EXPECT_EQ(e.ess.size(), 0);
}

// A thousand million inner samples: minutes, unless the passes themselves look at the flag.
TEST(ScoreTest, CancelEndsAPassThatHasBegun) {
  ThreadPool pool(2);
  for (const InnerSampleSource source : kBoth) {
    std::atomic<bool> cancel{false};
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      cancel = true;
    });
    const auto e =
        EvaluateScore(*WrongLineModel(1), Eigen::MatrixXd::Zero(1, 256),
                      {.seed = 1, .inner_samples = 1 << 22, .source = source}, pool, &cancel);
    canceller.join();
    EXPECT_EQ(e.status().code(), absl::StatusCode::kCancelled);
  }
}

}  // namespace
}  // namespace aisivi
