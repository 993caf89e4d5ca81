#include "client/cli/verdict_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aisivi::cli {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

void Add(const std::string& name, double value, double good, v1::FitVerdict::Grade grade,
         v1::FitVerdict* verdict) {
  v1::FitVerdict::Criterion* criterion = verdict->add_criteria();
  criterion->set_name(name);
  criterion->set_value(value);
  criterion->set_good_threshold(good);
  criterion->set_grade(grade);
  criterion->set_explanation("what " + name + " is");
}

TEST(VerdictView, ShowsEveryCriterionAndExplainsThoseThatAreNotGood) {
  v1::FitVerdict verdict;
  verdict.set_grade(v1::FitVerdict::GRADE_DO_NOT_TRUST);
  verdict.set_sentence("Do not trust: pareto_k is 0.93.");
  Add("gap", 0.02, 0.1, v1::FitVerdict::GRADE_GOOD, &verdict);
  Add("ess_share", 0.3, 0.5, v1::FitVerdict::GRADE_USABLE, &verdict);
  Add("pareto_k", 0.93, 0.5, v1::FitVerdict::GRADE_DO_NOT_TRUST, &verdict);
  verdict.mutable_criteria(1)->set_at_least(true);
  verdict.mutable_criteria(2)->set_usable_threshold(0.7);
  const std::string text = DescribeVerdict(verdict);
  EXPECT_THAT(text, HasSubstr("  verdict        Do not trust: pareto_k is 0.93.\n"));
  EXPECT_THAT(text, ContainsRegex("gap +0.02000 +≤ 0.1 +any +good\n"));
  EXPECT_THAT(text, ContainsRegex("ess_share +0.3000 +≥ 0.5 +any +usable\n"));
  EXPECT_THAT(text, ContainsRegex("pareto_k +0.9300 +≤ 0.5 +≤ 0.7 +do not trust\n"));
  EXPECT_THAT(text, HasSubstr("  ess_share: what ess_share is\n"));
  EXPECT_THAT(text, HasSubstr("  pareto_k: what pareto_k is\n"));
  EXPECT_THAT(text, Not(HasSubstr("what gap is")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "colours where there is no terminal";
}

TEST(VerdictView, UnknownValuesAndNoVerdict) {
  EXPECT_EQ(DescribeVerdict(v1::FitVerdict()), "");
  EXPECT_EQ(GradeWord(v1::FitVerdict::GRADE_UNSPECIFIED), "-");
  v1::FitVerdict verdict;
  verdict.set_grade(v1::FitVerdict::GRADE_DO_NOT_TRUST);
  verdict.set_sentence("Do not trust: nothing is known.");
  EXPECT_EQ(DescribeVerdict(verdict), "  verdict        Do not trust: nothing is known.\n");
  Add("gap", 0, 0.1, v1::FitVerdict::GRADE_DO_NOT_TRUST, &verdict);
  verdict.mutable_criteria(0)->clear_value();
  EXPECT_THAT(DescribeVerdict(verdict), ContainsRegex("gap +- +≤ 0.1 +any +do not trust\n"));
}

}  // namespace
}  // namespace aisivi::cli
