// Warm starts on the targets whose log evidence is known.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "engine/targets/registry.h"
#include "engine/warmstart/gaussian_fit.h"

namespace aisivi {
namespace {

std::string SharedData(const std::string& file) {
  const char* folder = std::getenv("AISIVI_SHARED_DATA");
  return std::string(folder != nullptr ? folder : AISIVI_SHARED_DATA) + "/" + file;
}

// A CSV file with a header line; empty when there is none.
Eigen::MatrixXd ReadCsv(const std::string& path) {
  std::ifstream file(path);
  std::string line, cell;
  std::vector<std::vector<double>> rows;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::stringstream cells(line);
    rows.emplace_back();
    while (std::getline(cells, cell, ',')) rows.back().push_back(std::stod(cell));
  }
  if (rows.empty()) return Eigen::MatrixXd();
  Eigen::MatrixXd result(rows.size(), rows.front().size());
  for (int64_t i = 0; i < result.rows(); ++i) {
    for (int64_t j = 0; j < result.cols(); ++j) {
      result(i, j) = rows[static_cast<size_t>(i)][static_cast<size_t>(j)];
    }
  }
  return result;
}

double BestElbo(const Target& target, uint64_t seed) {
  ThreadPool pool(2);
  const absl::StatusOr<std::vector<GaussianFit>> fits =
      FitGaussianCandidates(target, seed, pool, nullptr, nullptr);
  EXPECT_TRUE(fits.ok()) << fits.status();
  return fits.ok() ? fits->front().elbo : -std::numeric_limits<double>::infinity();
}

struct LogisticCase {
  double prior_precision, log_z, exact_moment_gap;
};

class WaveformTest : public ::testing::TestWithParam<LogisticCase> {};

TEST_P(WaveformTest, AsGoodAsTheExactMoments) {
  const Eigen::MatrixXd data = ReadCsv(SharedData("waveform_train.csv"));
  if (data.size() == 0) GTEST_SKIP() << "waveform_train.csv is not here";
  TargetParameters parameters;
  parameters["x"] = Eigen::MatrixXd(data.rightCols(data.cols() - 1));
  parameters["y"] = Eigen::VectorXd(data.col(0));
  parameters["prior_precision"] = GetParam().prior_precision;
  const auto target = MakeTarget("logistic_regression", parameters);
  ASSERT_TRUE(target.ok()) << target.status();
  for (uint64_t seed : {1, 2, 3}) {
    const double elbo = BestElbo(**target, seed);
    EXPECT_GT(elbo, GetParam().log_z - GetParam().exact_moment_gap - 0.03);
    EXPECT_LT(elbo, GetParam().log_z);
  }
}

INSTANTIATE_TEST_SUITE_P(Priors, WaveformTest,
                         ::testing::Values(LogisticCase{0.01, -150.383, 0.150},
                                           LogisticCase{1, -115.831, 0.067}));

TEST(DiffusionTest, HundredDimensionsWithinTheGaussianGap) {
  const auto target = MakeTarget("conditioned_diffusion", {});
  ASSERT_TRUE(target.ok()) << target.status();
  const double elbo = BestElbo(**target, 1);
  EXPECT_GT(elbo, -0.704 - 0.02);
  EXPECT_LT(elbo, -0.696 + 0.01);
}

}  // namespace
}  // namespace aisivi
