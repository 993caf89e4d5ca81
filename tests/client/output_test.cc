// What the command line prints of texts that others wrote.
#include "client/cli/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "client/cli/terminal.h"

namespace aisivi::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Clears the screen, and sets the window's title; the second in the one-byte form of CSI.
constexpr char kEvil[] =
    "a\x1b[2J\x1b]0;t\x07 b \xc2\x9b"
    "31m";

TEST(Printable, LeavesNoControlCharacter) {
  EXPECT_EQ(Printable(kEvil), "a\\x1b[2J\\x1b]0;t\\x07 b \\x9b31m");
  EXPECT_EQ(Printable("one\ntwo\tthree\r"), "one two three ");
  EXPECT_EQ(Printable("µ ± 1, größer, 日本\xc2\xa0"), "µ ± 1, größer, 日本\xc2\xa0");
}

// Every text of a fit, wherever it is: an older server may have kept anything.
TEST(DescribeFit, ShowsNoEscapeSequenceOfOthers) {
  v1::Fit fit;
  fit.set_name(kEvil);
  fit.set_state(v1::Fit::STATE_FAILED);
  fit.set_display_name(kEvil);
  fit.set_preset(kEvil);
  fit.set_message(kEvil);
  fit.mutable_error()->set_message(kEvil);
  fit.mutable_verdict()->set_grade(v1::FitVerdict::GRADE_USABLE);
  fit.mutable_verdict()->set_sentence(kEvil);
  v1::FitVerdict::Criterion* criterion = fit.mutable_verdict()->add_criteria();
  criterion->set_grade(v1::FitVerdict::GRADE_USABLE);
  criterion->set_name(kEvil);
  criterion->set_explanation(kEvil);
  const std::string text = DescribeFit(fit);
  EXPECT_THAT(text,
              AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")), Not(HasSubstr("\xc2\x9b"))));
  EXPECT_THAT(text, HasSubstr("called         a\\x1b[2J"));
}

TEST(DescribeVariables, NamesAndShapes) {
  v1::Fit fit;
  fit.add_variables()->set_name("mu");
  v1::Variable* w = fit.add_variables();
  w->set_name("w");
  w->add_shape(2);
  w->add_shape(3);
  w->set_derived(true);
  EXPECT_EQ(DescribeVariables(fit.variables()), "mu, w[2,3] (derived)");
  EXPECT_THAT(DescribeFit(fit), HasSubstr("mu, w[2,3] (derived)"));
  for (int i = 0; i < 30; ++i) fit.add_variables()->set_name(kEvil);
  EXPECT_THAT(DescribeVariables(fit.variables()),
              AllOf(HasSubstr("and 12 more"), Not(HasSubstr("\x1b"))));
}

TEST(DescribeFit, SaysThatLogZOfAnUnnormalisedDensityIsRelative) {
  v1::Fit fit;
  fit.mutable_evidence()->set_log_z(-1.5);
  fit.mutable_target()->mutable_remote()->set_density("densities/1");
  EXPECT_EQ(DescribeFit(fit).find("relative"), std::string::npos);
  fit.mutable_target()->mutable_remote()->set_unnormalised(true);
  EXPECT_NE(DescribeFit(fit).find("relative: the density is known up to a constant only"),
            std::string::npos);
}

TEST(MakePrintable, ReachesListsMapsAndInnerMessages) {
  v1::Fit fit;
  fit.add_log(kEvil);
  fit.add_coordinate_names(kEvil);
  (*fit.mutable_labels())["key"] = kEvil;
  fit.mutable_engine()->set_version(kEvil);
  MakePrintable(&fit);
  EXPECT_EQ(fit.log(0), Printable(kEvil));
  EXPECT_EQ(fit.coordinate_names(0), Printable(kEvil));
  EXPECT_EQ(fit.labels().at("key"), Printable(kEvil));
  EXPECT_EQ(fit.engine().version(), Printable(kEvil));
}

TEST(Lines, KeepsLinesOfPrintableText) {
  EXPECT_EQ(Lines(absl::InternalError("two\n  lines\x1b[2J")), "INTERNAL: two\n  lines\\x1b[2J");
}

TEST(OneLine, IsOneLineOfPrintableText) {
  EXPECT_EQ(OneLine(absl::InternalError("two\nlines\x1b[2J")), "INTERNAL: two lines\\x1b[2J");
}

// JSON escapes them by itself.
TEST(ToJson, EscapesControlCharacters) {
  v1::Fit fit;
  fit.set_display_name(kEvil);
  EXPECT_THAT(*ToJson(fit),
              AllOf(HasSubstr("\\u001b[2J"), Not(HasSubstr("\x1b")), Not(HasSubstr("\xc2\x9b"))));
}

}  // namespace
}  // namespace aisivi::cli
