#include "server/convert/verdict.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;

EvidenceEstimate FineEvidence() {
  EvidenceEstimate evidence;
  evidence.log_z = -3;
  evidence.standard_error = 0.01;
  evidence.elbo_lower = -3.02;
  evidence.elbo_upper = -3.01;
  evidence.ess = 800;
  evidence.pareto_k = 0.3;
  evidence.draws = 1000;
  return evidence;
}

// A fit whose search for modes ended by itself.
v1::Fit Searched() {
  v1::Fit fit;
  fit.mutable_mode_search()->set_end(v1::ModeSearch::END_COMPLETE);
  fit.mutable_mode_search()->set_searches(256);
  fit.mutable_mode_search()->set_modes(1);
  fit.mutable_mode_search()->set_radius(1000);
  fit.mutable_mode_search()->set_unmet(0.002);
  return fit;
}

const v1::FitVerdict::Criterion* Find(const v1::FitVerdict& verdict, const std::string& name) {
  for (const v1::FitVerdict::Criterion& criterion : verdict.criteria()) {
    if (criterion.name() == name) return &criterion;
  }
  return nullptr;
}

TEST(VerdictMessageTest, CarriesEveryCriterionWithItsThresholds) {
  v1::Fit fit = Searched();
  fit.set_dimension(4);
  fit.set_r_hat(1.03);
  fit.set_score_residual(1.0);
  const v1::FitVerdict verdict = JudgeFitBy(FineEvidence(), fit);
  EXPECT_EQ(verdict.grade(), v1::FitVerdict::GRADE_USABLE);
  EXPECT_THAT(verdict.sentence(), HasSubstr("r_hat is 1.03"));
  EXPECT_EQ(verdict.criteria_size(), 9);
  const v1::FitVerdict::Criterion* gap = Find(verdict, "gap");
  ASSERT_NE(gap, nullptr);
  EXPECT_NEAR(gap->value(), 0.02, 1e-12);
  EXPECT_EQ(gap->good_threshold(), 0.1);
  EXPECT_EQ(gap->usable_threshold(), 0.5);
  EXPECT_EQ(gap->grade(), v1::FitVerdict::GRADE_GOOD);
  EXPECT_FALSE(gap->at_least());
  EXPECT_TRUE(Find(verdict, "ess_share")->at_least());
  EXPECT_EQ(Find(verdict, "r_hat")->grade(), v1::FitVerdict::GRADE_USABLE);
  EXPECT_EQ(Find(verdict, "score_residual")->value(), 0.25);
  EXPECT_FALSE(Find(verdict, "score_residual")->has_usable_threshold());
}

TEST(VerdictMessageTest, WhatIsUnknownIsAbsent) {
  const v1::FitVerdict verdict = JudgeFitBy(FineEvidence(), Searched());
  EXPECT_EQ(verdict.grade(), v1::FitVerdict::GRADE_GOOD);
  EXPECT_EQ(Find(verdict, "score_residual"), nullptr);
  EXPECT_EQ(Find(verdict, "r_hat"), nullptr);
  EvidenceEstimate evidence = FineEvidence();
  evidence.pareto_k = std::numeric_limits<double>::quiet_NaN();
  const v1::FitVerdict partial = JudgeFitBy(evidence, v1::Fit());
  EXPECT_FALSE(Find(partial, "pareto_k")->has_value());
  EXPECT_EQ(partial.grade(), v1::FitVerdict::GRADE_DO_NOT_TRUST);
  const v1::FitVerdict nothing = JudgeFitBy(EvidenceEstimate(), v1::Fit());
  EXPECT_EQ(nothing.grade(), v1::FitVerdict::GRADE_DO_NOT_TRUST);
  EXPECT_THAT(nothing.sentence(), HasSubstr("not estimated"));
}

TEST(VerdictMessageTest, TheSearchForModesTravelsWhole) {
  const MultistartReport search{.end = MultistartEnd::kOutOfWork,
                                .searches = 1234,
                                .modes = 56,
                                .radius = 1e4,
                                .unmet = 0.25,
                                .evaluations = 131073};
  const MultistartReport back = FromMessage(ToMessage(search));
  EXPECT_EQ(back.end, search.end);
  EXPECT_EQ(back.searches, search.searches);
  EXPECT_EQ(back.modes, search.modes);
  EXPECT_EQ(back.radius, search.radius);
  EXPECT_EQ(back.unmet, search.unmet);
  EXPECT_EQ(back.evaluations, search.evaluations);
  v1::Fit fit;
  *fit.mutable_mode_search() = ToMessage(search);
  EXPECT_EQ(JudgeFitBy(FineEvidence(), fit).grade(), v1::FitVerdict::GRADE_DO_NOT_TRUST);
  // Of a fit that says nothing of a search nothing is assumed.
  EXPECT_EQ(JudgeFitBy(FineEvidence(), v1::Fit()).grade(), v1::FitVerdict::GRADE_USABLE);
}

}  // namespace
}  // namespace aisivi::server
