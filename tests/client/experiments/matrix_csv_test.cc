#include "client/experiments/matrix_csv.h"

#include <gtest/gtest.h>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

TEST(MatrixCsv, FilesComeBack) {
  const Folder folder;
  const Eigen::MatrixXd matrix = Eigen::MatrixXd::Random(3, 2);
  ASSERT_TRUE(WriteMatrix(folder / "m.csv", matrix).ok());
  EXPECT_EQ(*ReadMatrix(folder / "m.csv", 3, 2), matrix);
}

TEST(MatrixCsv, OtherFilesAreRefused) {
  const Folder folder;
  ASSERT_TRUE(WriteMatrix(folder / "m.csv", Eigen::MatrixXd::Ones(3, 3)).ok());
  EXPECT_TRUE(absl::IsDataLoss(ReadMatrix(folder / "m.csv", 4, 3).status()));
  WriteFile(folder / "m.csv", "1,x\n2,3\n");
  EXPECT_TRUE(absl::IsDataLoss(ReadMatrix(folder / "m.csv", 2, 2).status()));
  EXPECT_TRUE(absl::IsDataLoss(ReadMatrix(folder / "none.csv", 2, 2).status()));
}

}  // namespace
}  // namespace aisivi::experiments
