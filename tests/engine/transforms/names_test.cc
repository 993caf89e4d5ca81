#include "engine/transforms/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aisivi {
namespace {

using ::testing::ElementsAre;

TEST(NamesTest, AreStans) {
  EXPECT_THAT(ElementNames(Variable{"tau", {}, {}, false}), ElementsAre("tau"));
  EXPECT_THAT(ElementNames(Variable{"theta", {1}, {}, false}), ElementsAre("theta[1]"));
  EXPECT_THAT(ElementNames(Variable{"w", {2, 2}, {}, false}),
              ElementsAre("w[1,1]", "w[2,1]", "w[1,2]", "w[2,2]"));
  EXPECT_THAT(ElementNames(Variable{"a", {1, 2, 1}, {}, false}),
              ElementsAre("a[1,1,1]", "a[1,2,1]"));
}

TEST(NamesTest, LabelsTakeTheIndicesPlace) {
  EXPECT_THAT(ElementNames(Variable{"beta", {2}, {"intercept", "temperature"}, false}),
              ElementsAre("beta[intercept]", "beta[temperature]"));
}

TEST(NamesTest, OfSeveralFollowOneAnother) {
  EXPECT_THAT(ElementNames(std::vector<Variable>{{"mu", {}, {}, false}, {"x", {2}, {}, true}}),
              ElementsAre("mu", "x[1]", "x[2]"));
}

TEST(NamesTest, Counts) {
  EXPECT_EQ(ElementCount({}), 1);
  EXPECT_EQ(ElementCount({3, 4}), 12);
}

}  // namespace
}  // namespace aisivi
