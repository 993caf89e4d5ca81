#include "client/experiments/histogram.h"

#include <gtest/gtest.h>

namespace aisivi::experiments {
namespace {

const cli::Axis kAxis = {0, 4, {}};

TEST(Histogram, CountsPerArea) {
  Eigen::MatrixXd z(2, 5);
  z << 0.5, 0.5, 3.9, -1.0, std::nan(""),  //
      0.5, 0.6, 2.1, 0.5, 1.0;
  const Eigen::MatrixXd density = Histogram2(z, kAxis, kAxis, 4);
  EXPECT_DOUBLE_EQ(density(0, 0), 2.0 / 5);
  EXPECT_DOUBLE_EQ(density(3, 2), 1.0 / 5);
  EXPECT_DOUBLE_EQ(density.sum(), 3.0 / 5);  // the others are outside
}

TEST(Histogram, CentersOfCells) {
  EXPECT_EQ(Centers(kAxis, 4).min, 0.5);
  EXPECT_EQ(Centers(kAxis, 4).max, 3.5);
}

}  // namespace
}  // namespace aisivi::experiments
