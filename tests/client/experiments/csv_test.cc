#include "client/experiments/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace aisivi::experiments {
namespace {

using testing::ElementsAre;

TEST(Csv, CellsComeBack) {
  const std::string line = CsvLine({"a", "", "with, comma", "a \"quote\"", "z"});
  EXPECT_EQ(line, "a,,\"with, comma\",\"a \"\"quote\"\"\",z\n");
  EXPECT_THAT(*ParseCsvLine(line.substr(0, line.size() - 1)),
              ElementsAre("a", "", "with, comma", "a \"quote\"", "z"));
}

TEST(Csv, ALineBreakDoesNotBreakALine) { EXPECT_EQ(CsvLine({"a\nb", "c\r"}), "a b,\"c \"\n"); }

TEST(Csv, LongCellsComeBack) {
  std::vector<std::string> cells = {"a", "", "#c", " d "};
  cells[1].assign(5000, 'x');
  cells[1] += ",";
  const std::string line = CsvLine(cells);
  EXPECT_EQ(*ParseCsvLine(line.substr(0, line.size() - 1)), cells);
}

TEST(Csv, AnOpenQuoteIsAnError) {
  EXPECT_TRUE(absl::IsInvalidArgument(ParseCsvLine("a,\"b").status()));
}

TEST(Csv, NumbersComeBackExactly) {
  for (const double value : {0.1, -1e-300, 1.0 / 3, 12345678.9}) {
    EXPECT_EQ(*ParseCsvNumber(CsvNumber(value)), value);
  }
  EXPECT_TRUE(std::isnan(*ParseCsvNumber(CsvNumber(std::nan("")))));
  EXPECT_EQ(*ParseCsvNumber(CsvNumber(-std::numeric_limits<double>::infinity())),
            -std::numeric_limits<double>::infinity());
}

TEST(Csv, TextIsNoNumber) {
  EXPECT_TRUE(absl::IsInvalidArgument(ParseCsvNumber("1.5x").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ParseCsvNumber("").status()));
}

}  // namespace
}  // namespace aisivi::experiments
