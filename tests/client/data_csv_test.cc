#include "client/cli/data_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace aisivi::cli {
namespace {

using testing::ElementsAre;

absl::StatusOr<RegressionData> Read(const std::string& text) {
  std::istringstream stream(text);
  return ReadRegressionData("file.csv", stream);
}

TEST(RegressionData, WithAHeader) {
  const auto data = Read("y,\"one\", two\n1,2,3\n0,-4,5e-1\n");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->names, ElementsAre("one", "two"));
  EXPECT_THAT(data->y, ElementsAre(1, 0));
  EXPECT_EQ(data->x.rows(), 2);
  EXPECT_EQ(data->x.columns(), 2);
  EXPECT_THAT(data->x.values(), ElementsAre(2, 3, -4, 0.5));
}

TEST(RegressionData, WithoutAHeaderNoRowIsLost) {
  const auto data = Read("1,2\n0,3\n");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_TRUE(data->names.empty());
  EXPECT_THAT(data->y, ElementsAre(1, 0));
  EXPECT_THAT(data->x.values(), ElementsAre(2, 3));
}

TEST(RegressionData, UnderstandsWindowsFilesCommentsAndBlankLines) {
  const auto data = Read("\xEF\xBB\xBF# a comment\r\n\r\ny,x\r\n1,2\r\n\r\n# more\r\n0,3");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->names, ElementsAre("x"));
  EXPECT_THAT(data->y, ElementsAre(1, 0));
}

TEST(RegressionData, ErrorsSayWhere) {
  const auto message = [](const std::string& text) {
    const auto data = Read(text);
    EXPECT_TRUE(absl::IsInvalidArgument(data.status())) << text;
    return std::string(data.status().message());
  };
  EXPECT_EQ(message("y,x\n1,2\n1,\n"),
            "file.csv:3: column 2 (x): the cell is empty; leave such rows out, or fill them in");
  EXPECT_EQ(message("1,2,3\n1,nan,3\n"),
            "file.csv:2: column 2: 'nan' is a missing value; leave such rows out, or fill them in");
  EXPECT_EQ(message("nan,2\n"),
            "file.csv:1: column 1: 'nan' is a missing value; leave such rows out, or fill them in");
  EXPECT_EQ(message("1,2\n1,inf\n"), "file.csv:2: column 2: 'inf' is not a finite number");
  EXPECT_EQ(message("y,x\n1,2,3\n"), "file.csv:2: 3 cells, the lines before it have 2");
  EXPECT_EQ(message("1,2\n1\n"), "file.csv:2: 1 cells, the lines before it have 2");
  EXPECT_EQ(message("y,x\n1,two\n"), "file.csv:2: column 2 (x): 'two' is not a number");
  EXPECT_EQ(message("y,x\n1,1e999\n"), "file.csv:2: column 2 (x): '1e999' is not a finite number");
}

// A first line that mixes names and numbers is more likely a mistake than a header.
TEST(RegressionData, AMistakeInTheFirstLineIsNoHeader) {
  const auto data = Read("1,two\n0,3\n");
  EXPECT_EQ(data.status().message(), "file.csv:1: column 2: 'two' is not a number");
}

TEST(RegressionData, NamesAreThoseThatADataSetWouldHave) {
  const auto data = Read("y,\"a, b\",\" two\nlines \"\n1,2,3\n");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->names, ElementsAre("a, b", "two lines"));
  EXPECT_EQ(Read("y,x,x\n1,2,3\n").status().message(),
            "file.csv:1: column 3: is called 'x', like column 2");
}

TEST(RegressionData, LargerThanABlock) {
  std::string text;
  while (text.size() < 600'000) text += "0,0.25,-3\n";
  const auto data = Read(text);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->y.size(), 60'000u);
  EXPECT_EQ(data->x.values_size(), 120'000);
  EXPECT_EQ(data->x.values(119'999), -3);
}

TEST(RegressionData, RefusesFilesWithoutDataOrFeatures) {
  EXPECT_TRUE(absl::IsInvalidArgument(Read("").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Read("y,x\n").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Read("1\n0\n").status()));
}

TEST(ReadDataFile, NamesTheFlagAndTheTarget) {
  v1::Fit fit;
  EXPECT_THAT(std::string(ReadDataFile("x.csv", &fit).message()), testing::HasSubstr("--data"));
  fit.mutable_target()->mutable_banana();
  EXPECT_THAT(std::string(ReadDataFile("x.csv", &fit).message()),
              testing::HasSubstr("fit.target.banana"));
  fit.mutable_target()->mutable_logistic_regression();
  EXPECT_THAT(std::string(ReadDataFile("no/such/file.csv", &fit).message()),
              testing::HasSubstr("no/such/file.csv"));
}

}  // namespace
}  // namespace aisivi::cli
