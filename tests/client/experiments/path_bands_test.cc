#include "client/experiments/path_bands.h"

#include <gtest/gtest.h>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

TEST(PathBands, AreQuantiles) {
  Eigen::MatrixXd draws(2, 41);
  draws.row(0) = Eigen::RowVectorXd::LinSpaced(41, 40, 0);
  draws.row(1).setConstant(7);
  const PathBands bands = BandsOf(draws);
  EXPECT_DOUBLE_EQ(bands.low[0], 1);
  EXPECT_DOUBLE_EQ(bands.median[0], 20);
  EXPECT_DOUBLE_EQ(bands.high[0], 39);
  EXPECT_EQ(bands.low[1], 7);
  EXPECT_EQ(bands.high[1], 7);
}

TEST(PathBands, FilesComeBack) {
  const Folder folder;
  const PathBands bands = BandsOf(Eigen::MatrixXd::Random(5, 30));
  ASSERT_TRUE(WriteBands(folder / "b.csv", bands).ok());
  const absl::StatusOr<PathBands> read = ReadBands(folder / "b.csv");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->low, bands.low);
  EXPECT_EQ(read->median, bands.median);
  EXPECT_EQ(read->high, bands.high);
}

TEST(PathBands, OtherFilesAreRefused) {
  const Folder folder;
  for (const char* text :
       {"", "a,b\n", "step,low,median,high\n1,2,3\n", "step,low,median,high\n1,2,x,4\n",
        "step,low,median,high\n1,2,\"3,4\n"}) {
    WriteFile(folder / "b.csv", text);
    EXPECT_TRUE(absl::IsDataLoss(ReadBands(folder / "b.csv").status())) << text;
  }
  EXPECT_TRUE(absl::IsDataLoss(ReadBands(folder / "none.csv").status()));
}

}  // namespace
}  // namespace aisivi::experiments
