#include "client/experiments/dimension_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "client/experiments/dimension_target.h"
#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;

// Errors c/k, where that is below 1.
std::vector<ScoreRow> Rows(const std::string& source, double c) {
  std::vector<ScoreRow> rows;
  for (const int64_t k : {1, 10, 100, 1000, 10000}) {
    const double error = std::min(1.0, c / static_cast<double>(k));
    rows.push_back({source, k, {0.75 * error, 0.25 * error, 0}, 5, 0.1, 0});
  }
  return rows;
}

DimensionRows RowsAt(const std::string& target, int dimension, double proposal, double prior) {
  DimensionRows rows{target, dimension, {}, Rows("proposal", proposal)};
  const std::vector<ScoreRow> more = Rows("prior", prior);
  rows.rows.insert(rows.rows.end(), more.begin(), more.end());
  return rows;
}

TEST(Dimension, NeededIsBetweenTheTriedValues) {
  EXPECT_NEAR(NeededK(Rows("prior", 5)), 50, 1e-9);
  EXPECT_NEAR(NeededK(Rows("prior", 50)), 500, 1e-9);
  EXPECT_NEAR(NeededK(Rows("prior", 1000)), 10000, 1e-6);
  EXPECT_EQ(NeededK(Rows("prior", 0.01)), 1);
  EXPECT_EQ(NeededK(Rows("prior", 0)), 1);
  EXPECT_EQ(NeededK(Rows("prior", 1e6)), INFINITY);
  EXPECT_TRUE(std::isnan(NeededK({})));
  std::vector<ScoreRow> unknown = Rows("prior", 5);
  unknown[0].errors.variance = std::nan("");
  EXPECT_TRUE(std::isnan(NeededK(unknown)));
}

// From the prior 10 · 2^D, from the proposal always the same.
std::vector<DimensionRows> Exponential() {
  std::vector<DimensionRows> rows;
  for (const int dimension : {2, 4, 6, 8, 20}) {
    rows.push_back(RowsAt("gaussian", dimension, 2, std::ldexp(1, dimension)));
  }
  return rows;
}

TEST(Dimension, ExponentialGrowthIsSeenAndTold) {
  const std::vector<NeedSeries> needs = Needs(Exponential());
  ASSERT_EQ(needs.size(), 2u);
  EXPECT_EQ(needs[0].source, "proposal");
  EXPECT_NEAR(needs[0].line.slope, 0, 1e-9);
  EXPECT_NEAR(needs[1].line.slope, std::log(2), 1e-9);
  EXPECT_TRUE(std::isinf(needs[1].needed[4]));
  const std::string text = NeedSentence(needs[1]);
  EXPECT_THAT(text, HasSubstr("up to D = 8 the k needed grows by a factor of 2.000 per dimension"));
  EXPECT_THAT(text, HasSubstr("It is exponential in D"));
  EXPECT_THAT(text, HasSubstr("In 1 dimension k = 10000 was not enough."));
  EXPECT_THAT(NeedSentence(needs[0]), HasSubstr("No growth with D can be told from none."));
}

TEST(Dimension, OtherSentences) {
  EXPECT_THAT(
      NeedSentence(Needs({RowsAt("gaussian", 2, 0, 1e9), RowsAt("gaussian", 4, 0, 1e9)})[0]),
      HasSubstr("a single sample is enough in every dimension up to 4."));
  EXPECT_THAT(
      NeedSentence(Needs({RowsAt("gaussian", 2, 0, 1e9), RowsAt("gaussian", 4, 0, 1e9)})[1]),
      HasSubstr("in no dimension was k = 10000 enough."));
  EXPECT_THAT(NeedSentence(Needs({RowsAt("gaussian", 2, 0, 5), RowsAt("gaussian", 4, 0, 50)})[1]),
              HasSubstr("too few dimensions were within reach"));
  EXPECT_THAT(NeedSentence(Needs({{"gaussian", 2, {}, {}}})[1]),
              HasSubstr("nothing was measured."));
  // Where fewer k were tried, less can be said of all.
  std::vector<DimensionRows> uneven = {RowsAt("gaussian", 2, 0, 1e9),
                                       RowsAt("gaussian", 4, 0, 1e9)};
  uneven[1].rows.pop_back();
  EXPECT_THAT(NeedSentence(Needs(uneven)[1]), HasSubstr("in no dimension was k = 1000 enough."));
  EXPECT_THAT(Needs(uneven)[1].most, testing::ElementsAre(10000, 1000));
  const std::vector<DimensionRows> falling = {
      RowsAt("gaussian", 2, 400, 1), RowsAt("gaussian", 4, 100, 1), RowsAt("gaussian", 6, 25, 1)};
  EXPECT_THAT(NeedSentence(Needs(falling)[0]), HasSubstr("It does not grow with D."));
}

// By quadrature over ε and over z ~ N(0, 1).
TEST(Dimension, TheSlopeOfTheory) {
  for (const double sigma : {0.3, 0.5, 0.8}) {
    const double a = std::sqrt(1 - sigma * sigma), step = 0.02;
    const auto normal = [](double x, double sd) {
      return std::exp(-0.5 * x * x / (sd * sd)) / (sd * std::sqrt(2 * M_PI));
    };
    double mean = 0;
    for (double z = -7; z <= 7; z += step) {
      double first = 0, second = 0;
      for (double e = -9; e <= 9; e += step) {
        const double q = normal(z - a * e, sigma);
        first += step * normal(e, 1) * q;
        second += step * normal(e, 1) * q * q;
      }
      mean += step * normal(z, 1) * std::log(second / (first * first));
    }
    EXPECT_NEAR(PriorSlope(sigma), mean, 1e-3) << sigma;
  }
}

TEST(Dimension, Targets) {
  const v1::TargetSpec gaussian = DimensionTarget("gaussian", 3);
  EXPECT_EQ(gaussian.gaussian().mean_size(), 3);
  EXPECT_THAT(gaussian.gaussian().covariance().values(),
              testing::ElementsAre(1, 0.5, 0.25, 0.5, 1, 0.5, 0.25, 0.5, 1));
  const v1::TargetSpec diffusion = DimensionTarget("conditioned_diffusion", 6);
  EXPECT_EQ(diffusion.conditioned_diffusion().steps(), 6);
  EXPECT_EQ(diffusion.conditioned_diffusion().observations_size(), 2);
}

TEST(Dimension, Report) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  std::vector<DimensionRows> rows = Exponential();
  rows.push_back({"gaussian", 50, {}, {}});
  rows.back().fit.state = "FAILED";
  ASSERT_TRUE(WriteDimensionReport(settings, {}, rows, Needs(rows)).ok());
  const std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("| gaussian | 8 | 20 | 2560 |"));
  EXPECT_THAT(report, HasSubstr("| gaussian | 20 | 20 | more than 10000 |"));
  EXPECT_THAT(report, HasSubstr("| gaussian | 50 | - | - | FAILED |"));
  EXPECT_THAT(report, HasSubstr("| gaussian | 8 | the prior (BSIVI) | 0.750 | 0.750 | 0.750 | "
                                "0.192 | 0.0192 | - |"));
  EXPECT_THAT(report, HasSubstr("grows by a factor of 2.321 per dimension at a typical point"));
  EXPECT_THAT(ReadFile(folder / "needed.csv"), HasSubstr("gaussian,prior,20,inf,10000"));
  EXPECT_THAT(ReadFile(folder / "dimension.csv"), HasSubstr("gaussian,8,prior,1000,"));
}

}  // namespace
}  // namespace aisivi::experiments
