#include "client/experiments/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Report, SaysHowItWasMade) {
  Settings settings;
  settings.methods = {"aisivi", "kpg"};
  settings.target = "banana";
  settings.seeds = 3;
  settings.set = {"iterations=20"};
  const Report report("A title", "significance", settings);
  EXPECT_THAT(report.text(), testing::StartsWith("# A title\n\n"));
  EXPECT_THAT(report.text(),
              HasSubstr("`aisivi experiment significance --size quick --methods "
                        "aisivi,kpg --target banana --seeds 3 --set iterations=20`"));
  EXPECT_THAT(report.text(), HasSubstr("This is the quick size"));
  EXPECT_THAT(report.text(), HasSubstr("no figure here compares with a published one"));
}

TEST(Report, ThePaperSizeMakesNoExcuses) {
  Settings settings;
  settings.size = Size::kPaper;
  const Report report("A title", "toy", settings);
  EXPECT_THAT(report.text(), HasSubstr("`aisivi experiment toy --size paper`"));
  EXPECT_THAT(report.text(), Not(HasSubstr("quick")));
  EXPECT_THAT(report.text(), Not(HasSubstr("no figure")));
}

TEST(Report, IsWrittenPieceByPiece) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  Report report("A title", "toy", settings);
  ReportTable table({"a"});
  table.AddRow({"1"});
  report.Heading("Part");
  report.Paragraph("Text.");
  report.Table(table);
  report.Picture("toy", "What it shows");
  ASSERT_TRUE(report.Write().ok());
  EXPECT_THAT(ReadFile(folder / "report.md"),
              testing::EndsWith("## Part\n\nText.\n\n| a |\n|---|\n| 1 |\n\n"
                                "![What it shows](toy.png)\n\nWhat it shows ([SVG](toy.svg))\n\n"));
}

TEST(Report, AFolderThatIsNotThereIsAnError) {
  Settings settings;
  settings.out = "/no/such/folder";
  EXPECT_TRUE(absl::IsResourceExhausted(Report("t", "toy", settings).Write()));
}

TEST(SeedCount, WhatWasAskedForWins) {
  Settings settings;
  EXPECT_EQ(SeedCount(settings, 2, 10), 2);
  settings.size = Size::kPaper;
  EXPECT_EQ(SeedCount(settings, 2, 10), 10);
  settings.seeds = 4;
  EXPECT_EQ(SeedCount(settings, 2, 10), 4);
}

}  // namespace
}  // namespace aisivi::experiments
