#include "client/experiments/regression_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/experiments/example_data.h"
#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

TEST(RegressionInput, OfAFile) {
  const Folder folder;
  WriteFile(folder / "data.csv", "y,a,b\n1,2,3\n0,4,5\n1,6,7\n");
  const auto input = ReadRegressionOrExample((folder / "data.csv").string());
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->data.x, (Eigen::MatrixXd(3, 2) << 2, 3, 4, 5, 6, 7).finished());
  EXPECT_EQ(input->data.y, Eigen::Vector3d(1, 0, 1));
  EXPECT_EQ(input->spec.logistic_regression().prior_precision(), 0.01);
  EXPECT_EQ(input->spec.logistic_regression().x().rows(), 3);
  EXPECT_EQ(input->source, (folder / "data.csv").string());
}

TEST(RegressionInput, TheExampleIsTheFileOfTheSources) {
  EXPECT_EQ(ExampleWaveform(),
            ReadFile(std::filesystem::path(AISIVI_EXAMPLE_DATA) / "waveform.csv"));
  const auto input = ReadRegressionOrExample("");
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->data.x.rows(), 400);
  EXPECT_EQ(input->data.x.cols(), 22);
  EXPECT_EQ(input->data.x.col(0), Eigen::VectorXd::Ones(400));
  EXPECT_EQ(input->data.x(1, 1), 0.376628);
  EXPECT_EQ(input->data.y[1], 1);
}

TEST(RegressionInput, AFileThatIsNotThereIsNamed) {
  const absl::Status status = ReadRegressionOrExample("/no/such.csv").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("--data: /no/such.csv"));
}

}  // namespace
}  // namespace aisivi::experiments
