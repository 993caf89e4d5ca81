#include "client/cli/terminal.h"

#include <gtest/gtest.h>

#include <limits>

namespace aisivi::cli {
namespace {

TEST(FormatNumber, SignificantDigits) {
  EXPECT_EQ(FormatNumber(0), "0");
  EXPECT_EQ(FormatNumber(12345.678), "12346");
  EXPECT_EQ(FormatNumber(0.00123456), "0.001235");
  EXPECT_EQ(FormatNumber(-150.3831, 5), "-150.38");
  EXPECT_EQ(FormatNumber(1.2346e-8), "1.235e-08");
  EXPECT_EQ(FormatNumber(std::numeric_limits<double>::quiet_NaN()), "-");
  EXPECT_EQ(FormatNumber(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(FormatFixed, HasNoNegativeZero) {
  EXPECT_EQ(FormatFixed(-0.001, 2), "0.00");
  EXPECT_EQ(FormatFixed(-0.01, 2), "-0.01");
}

TEST(DecimalsFor, TwoDigitsOfTheError) {
  EXPECT_EQ(DecimalsFor(0.023), 3);
  EXPECT_EQ(DecimalsFor(1.7), 1);
  EXPECT_EQ(DecimalsFor(250), 0);
  EXPECT_EQ(DecimalsFor(1e-12), 6);
}

TEST(FormatSeconds, Units) {
  EXPECT_EQ(FormatSeconds(0.85), "850 ms");
  EXPECT_EQ(FormatSeconds(12.34), "12.3 s");
  EXPECT_EQ(FormatSeconds(59.97), "1 min 00 s");
  EXPECT_EQ(FormatSeconds(245), "4 min 05 s");
  EXPECT_EQ(FormatSeconds(7800), "2 h 10 min");
  EXPECT_EQ(FormatSeconds(-1), "-");
}

TEST(DisplayWidth, CountsWhatIsSeen) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("σ₀ ≤ 1"), 6);
  EXPECT_EQ(DisplayWidth("k̂"), 1);
  EXPECT_EQ(DisplayWidth("\x1b[1mab\x1b[0m"), 2);
}

TEST(Table, AlignsColumns) {
  Table table({"<NAME", "VALUE"});
  table.AddRow({"σ", "1.5"});
  table.AddRow({"longer", "10.25"});
  EXPECT_EQ(table.ToString(),
            "NAME    VALUE\n"
            "σ         1.5\n"
            "longer  10.25\n");
}

}  // namespace
}  // namespace aisivi::cli
