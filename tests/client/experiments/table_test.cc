#include "client/experiments/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

TEST(ReportTable, Markdown) {
  ReportTable table({"a", "b"});
  EXPECT_TRUE(table.empty());
  table.AddRow({"1", "x|y"});
  table.AddRow({"2"});
  EXPECT_FALSE(table.empty());
  EXPECT_EQ(table.ToMarkdown(), "| a | b |\n|---|---|\n| 1 | x\\|y |\n| 2 |  |\n");
}

TEST(ReportTable, Csv) {
  ReportTable table({"a", "b"});
  table.AddRow({"1", "x,y"});
  EXPECT_EQ(table.ToCsv(), "a,b\n1,\"x,y\"\n");
}

TEST(ReportTable, MedianAndRange) {
  EXPECT_EQ(MedianAndRange({}), "-");
  EXPECT_EQ(MedianAndRange({0.12345}), "0.123");
  EXPECT_EQ(MedianAndRange({0.3, std::nan(""), 0.1, 0.2}), "0.200 (0.100 – 0.300)");
}

TEST(WriteWholeFile, LeavesNothingHalf) {
  const Folder folder;
  ASSERT_TRUE(WriteWholeFile(folder / "a.csv", "1\n").ok());
  ASSERT_TRUE(WriteWholeFile(folder / "a.csv", "2\n").ok());
  EXPECT_EQ(ReadFile(folder / "a.csv"), "2\n");
  EXPECT_FALSE(std::filesystem::exists(folder / "a.csv.partial"));
}

TEST(WriteWholeFile, NamesWhatCannotBeWritten) {
  const Folder folder;
  const absl::Status status = WriteWholeFile(folder / "no/a.csv", "1\n");
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("--out: "));
}

}  // namespace
}  // namespace aisivi::experiments
