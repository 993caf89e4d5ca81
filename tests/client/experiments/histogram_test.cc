#include "client/experiments/histogram.h"

#include <gtest/gtest.h>

#include "tests/client/experiments/folder.h"

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

TEST(Histogram, FilesComeBack) {
  const Folder folder;
  const Eigen::MatrixXd matrix = Eigen::MatrixXd::Random(3, 3);
  ASSERT_TRUE(WriteMatrix(folder / "m.csv", matrix).ok());
  EXPECT_EQ(*ReadMatrix(folder / "m.csv", 3), matrix);
}

TEST(Histogram, OtherFilesAreRefused) {
  const Folder folder;
  ASSERT_TRUE(WriteMatrix(folder / "m.csv", Eigen::MatrixXd::Ones(3, 3)).ok());
  EXPECT_TRUE(absl::IsDataLoss(ReadMatrix(folder / "m.csv", 4).status()));
  WriteFile(folder / "m.csv", "1,x\n2,3\n");
  EXPECT_TRUE(absl::IsDataLoss(ReadMatrix(folder / "m.csv", 2).status()));
  EXPECT_TRUE(absl::IsDataLoss(ReadMatrix(folder / "none.csv", 2).status()));
}

}  // namespace
}  // namespace aisivi::experiments
