#include "client/experiments/score_errors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace aisivi::experiments {
namespace {

class Noise {
 public:
  Eigen::MatrixXd operator()(Eigen::Index rows, Eigen::Index columns, double sd) {
    std::normal_distribution<double> normal(0, sd);
    return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return normal(engine_); });
  }

 private:
  std::mt19937_64 engine_{7};
};

// Coordinates of very different scale: the score is in units of 1/sd.
const Eigen::Vector2d kSd(0.1, 30);

TEST(ScoreErrors, VarianceAndBiasAreRecovered) {
  Noise noise;
  const Eigen::MatrixXd unit = noise(2, 400, 1);
  const Eigen::MatrixXd truth = kSd.cwiseInverse().asDiagonal() * unit;
  ScoreTruth exact = TruthOf({truth}, kSd);
  EXPECT_EQ(exact.error, 0);
  EXPECT_NEAR(exact.square, 2, 0.2);
  for (const double bias : {0.0, 0.5}) {
    std::vector<Eigen::MatrixXd> estimates;
    for (int r = 0; r < 20; ++r) {
      const Eigen::MatrixXd error = (noise(2, 400, 0.3).array() + bias).matrix();
      estimates.push_back(truth + kSd.cwiseInverse().asDiagonal() * error);
    }
    const ScoreErrors errors = CompareScores(estimates, exact);
    EXPECT_NEAR(errors.variance * exact.square, 2 * 0.09, 0.01);
    EXPECT_NEAR(errors.bias_square * exact.square, 2 * bias * bias, 0.02);
    EXPECT_EQ(errors.BiasShows(), bias > 0);
    EXPECT_NEAR(errors.Mse() * exact.square, 2 * (0.09 + bias * bias), 0.03);
  }
}

TEST(ScoreErrors, TheErrorOfTheTruthIsNoBias) {
  Noise noise;
  const Eigen::MatrixXd truth = noise(2, 400, 1);
  std::vector<Eigen::MatrixXd> runs, estimates;
  for (int r = 0; r < 2; ++r) runs.push_back(truth + noise(2, 400, 0.4));
  for (int r = 0; r < 50; ++r) estimates.push_back(truth + noise(2, 400, 0.1));
  const ScoreTruth known = TruthOf(runs, Eigen::Vector2d::Ones());
  EXPECT_NEAR(known.error * known.square, 2 * 0.16 / 2, 0.03);
  const ScoreErrors errors = CompareScores(estimates, known);
  EXPECT_NEAR(errors.bias_square * known.square, 0, 0.03);
  EXPECT_FALSE(errors.BiasShows());
}

TEST(ScoreErrors, OneEstimateHasNoVariance) {
  const Eigen::MatrixXd one = Eigen::MatrixXd::Ones(2, 3);
  const ScoreErrors errors = CompareScores({one}, TruthOf({one, one}, Eigen::Vector2d::Ones()));
  EXPECT_TRUE(std::isnan(errors.variance));
  EXPECT_TRUE(std::isnan(errors.Mse()));
  EXPECT_FALSE(errors.BiasShows());
}

TEST(ScoreErrors, ExactEstimates) {
  const Eigen::MatrixXd one = Eigen::MatrixXd::Ones(2, 3);
  const ScoreErrors errors =
      CompareScores({one, one}, TruthOf({one, one}, Eigen::Vector2d::Ones()));
  EXPECT_EQ(errors.variance, 0);
  EXPECT_EQ(errors.bias_square, 0);
  EXPECT_FALSE(errors.BiasShows());
}

}  // namespace
}  // namespace aisivi::experiments
