#include "engine/methods/aggregate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/engine/nn/testing.h"
#include "tests/engine/not_finite.h"

namespace aisivi {
namespace {

using test::kInfinity;
using test::kNan;
using test::Normals;
using test::Put;
using test::Random;

constexpr int64_t kDim = 3;

// WeightSums with the memory of its score.
struct Sums {
  Sums() : score(kDim, 0.0), sums{.score = score.data(), .dim = kDim} { sums.Clear(); }
  Eigen::VectorXd Score() const {
    return Eigen::Map<const Eigen::VectorXd>(score.data(), kDim) / sums.sum;
  }
  std::vector<double> score;
  WeightSums sums;
};

struct Truth {
  double log_mean, ess;
  Eigen::VectorXd score;
};

// All at once in long double; weights that are not numbers count as zero.
Truth OneBatch(const std::vector<double>& log_weight, const Eigen::MatrixXd& gradient) {
  double top = -kInfinity;
  for (const double v : log_weight) {
    if (v > top) top = v;
  }
  long double sum = 0, square = 0;
  std::vector<long double> score(kDim, 0);
  for (size_t i = 0; i < log_weight.size(); ++i) {
    if (std::isnan(log_weight[i])) continue;
    const long double w = std::exp(static_cast<long double>(log_weight[i]) - top);
    sum += w;
    square += w * w;
    for (int64_t d = 0; d < kDim; ++d) score[d] += w * gradient(d, static_cast<int64_t>(i));
  }
  const long double n = static_cast<long double>(log_weight.size());
  Truth truth{static_cast<double>(top + std::log(sum / n)),
              static_cast<double>(sum * sum / square / n), Eigen::VectorXd(kDim)};
  for (int64_t d = 0; d < kDim; ++d) truth.score[d] = static_cast<double>(score[d] / sum);
  return truth;
}

std::vector<std::vector<double>> WeightSets(Random& random) {
  std::vector<std::vector<double>> sets;
  for (const double scale : {0.0, 1.0, 30.0, 1e4}) {
    std::vector<double> w(97);
    const Eigen::MatrixXd values = Normals(97, 1, scale, random);
    std::copy_n(values.data(), 97, w.begin());
    sets.push_back(w);
    for (double& v : w) v += 1e4;
    sets.push_back(w);
    for (double& v : w) v -= 2e4;
    sets.push_back(w);
    for (size_t i = 0; i < w.size(); i += 3) w[i] = i % 2 == 0 ? -kInfinity : kNan;
    sets.push_back(w);
  }
  std::vector<double> rising(97);
  for (size_t i = 0; i < rising.size(); ++i) rising[i] = 200.0 * static_cast<double>(i) - 1e4;
  sets.push_back(rising);
  std::reverse(rising.begin(), rising.end());
  sets.push_back(rising);
  return sets;
}

void ExpectSumsNear(const Sums& value, const Truth& truth) {
  EXPECT_NEAR(value.sums.LogMeanWeight(), truth.log_mean, 1e-9 * (1 + std::abs(truth.log_mean)));
  EXPECT_NEAR(value.sums.EssFraction(), truth.ess, 1e-9);
  EXPECT_LT((value.Score() - truth.score).cwiseAbs().maxCoeff(), 2e-5);
}

// `pieces` random cuts of [0, n).
std::vector<int64_t> Cuts(int64_t n, int64_t pieces, Random& random) {
  std::vector<int64_t> cuts = {0, n};
  while (static_cast<int64_t>(cuts.size()) < pieces + 1)
    cuts.push_back(test::Between(0, n, random));
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

TEST(WeightSumsTest, AnyChunkingIsOneBatch) {
  Random random(1);
  for (const std::vector<double>& w : WeightSets(random)) {
    const int64_t n = static_cast<int64_t>(w.size());
    Scratch scratch;
    const TileMap gradient = Put(Normals(kDim, n, 1, random), scratch);
    const Truth truth = OneBatch(w, test::Get(gradient));
    for (const int64_t pieces : {1, 2, 5, 97}) {
      const std::vector<int64_t> cuts = Cuts(n, pieces, random);
      Sums added, merged;
      for (size_t i = 0; i + 1 < cuts.size(); ++i) {
        const int64_t first = cuts[i], count = cuts[i + 1] - first;
        added.sums.Add(w.data() + first, count, Const(gradient), first, scratch);
        Sums part;
        part.sums.Add(w.data() + first, count, Const(gradient), first, scratch);
        merged.sums.Merge(part.sums);
      }
      ExpectSumsNear(added, truth);
      ExpectSumsNear(merged, truth);
    }
  }
}

TEST(WeightSumsTest, TwoBatchesCombineByLogAddExp) {
  Random random(2);
  Scratch scratch;
  const TileMap gradient = Put(Normals(kDim, 40, 1, random), scratch);
  const Eigen::MatrixXd w = Normals(40, 1, 5, random);
  Sums first, second;
  first.sums.Add(w.data(), 30, Const(gradient), 0, scratch);
  second.sums.Add(w.data() + 30, 10, Const(gradient), 30, scratch);
  const double l1 = first.sums.LogMeanWeight(), l2 = second.sums.LogMeanWeight();
  const Eigen::VectorXd s1 = first.Score(), s2 = second.Score();
  first.sums.Merge(second.sums);
  const double w1 = 30 * std::exp(l1), w2 = 10 * std::exp(l2);
  EXPECT_NEAR(first.sums.LogMeanWeight(), std::log((w1 + w2) / 40), 1e-12);
  EXPECT_LT((first.Score() - (w1 * s1 + w2 * s2) / (w1 + w2)).norm(), 1e-12);
}

TEST(WeightSumsTest, OneSampleIsItself) {
  Random random(3);
  Scratch scratch;
  const TileMap gradient = Put(Normals(kDim, 1, 1, random), scratch);
  for (const double w : {-1e4, -3.0, 0.0, 1e4}) {
    Sums sums;
    sums.sums.Add(&w, 1, Const(gradient), 0, scratch);
    EXPECT_EQ(sums.sums.LogMeanWeight(), w);
    EXPECT_EQ(sums.sums.EssFraction(), 1);
    EXPECT_EQ(sums.Score(), Eigen::VectorXd(test::Get(gradient).col(0)));
  }
}

TEST(WeightSumsTest, NoWeightAtAllIsMinusInfinity) {
  Scratch scratch;
  const TileMap gradient = Put(Eigen::MatrixXd::Ones(kDim, 4), scratch);
  for (const double value : {-kInfinity, kNan}) {
    const std::vector<double> w(4, value);
    Sums sums, other;
    sums.sums.Add(w.data(), 4, Const(gradient), 0, scratch);
    EXPECT_EQ(sums.sums.LogMeanWeight(), -kInfinity);
    EXPECT_EQ(sums.sums.EssFraction(), 0);
    other.sums.Add(w.data(), 4, Const(gradient), 0, scratch);
    sums.sums.Merge(other.sums);
    EXPECT_EQ(sums.sums.LogMeanWeight(), -kInfinity);
    // Later weights still count.
    const std::vector<double> fine(4, 2.0);
    sums.sums.Add(fine.data(), 4, Const(gradient), 0, scratch);
    EXPECT_NEAR(sums.sums.LogMeanWeight(), 2 + std::log(4.0 / 12), 1e-12);
    EXPECT_NEAR(sums.sums.EssFraction(), 4.0 / 12, 1e-12);
  }
}

TEST(LogAddExpTest, WhatIsNotANumberIsNotPassedOver) {
  EXPECT_EQ(LogAddExp(-kInfinity, -kInfinity), -kInfinity);
  EXPECT_EQ(LogAddExp(-kInfinity, 3), 3);
  EXPECT_NEAR(LogAddExp(1000, 1000), 1000 + std::log(2), 1e-12);
  for (const double other : {-kInfinity, 0.0, kInfinity}) {
    EXPECT_TRUE(std::isnan(LogAddExp(other, kNan))) << other;
    EXPECT_TRUE(std::isnan(LogAddExp(kNan, other))) << other;
  }
}

TEST(WeightSumsTest, AnEmptyBatchChangesNothing) {
  Random random(4);
  Scratch scratch;
  const TileMap gradient = Put(Normals(kDim, 4, 1, random), scratch);
  const std::vector<double> w = {1, 2, 3, 4};
  Sums sums, empty;
  sums.sums.Add(w.data(), 4, Const(gradient), 0, scratch);
  const double before = sums.sums.LogMeanWeight();
  sums.sums.Add(w.data(), 0, Const(gradient), 0, scratch);
  sums.sums.Merge(empty.sums);
  EXPECT_EQ(sums.sums.LogMeanWeight(), before);
  EXPECT_EQ(sums.sums.count, 4);
  empty.sums.Merge(sums.sums);
  EXPECT_EQ(empty.sums.LogMeanWeight(), before);
  EXPECT_EQ(empty.Score(), sums.Score());
}

TEST(WeightSumsTest, TheScoreIsOptional) {
  Scratch scratch;
  const std::vector<double> w = {1e4, 0, -1e4};
  WeightSums sums{.score = nullptr, .dim = kDim};
  sums.Clear();
  const TileMap gradient = Put(Eigen::MatrixXd::Ones(kDim, 3), scratch);
  sums.Add(w.data(), 3, Const(gradient), 0, scratch);
  EXPECT_NEAR(sums.LogMeanWeight(), 1e4 - std::log(3.0), 1e-9);
}

}  // namespace
}  // namespace aisivi
