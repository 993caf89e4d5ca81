#include "client/experiments/variant.h"

#include <gtest/gtest.h>

namespace aisivi::experiments {
namespace {

TEST(Variant, TheQuickSizeShortensAisivisPresetsOnly) {
  Settings settings;
  settings.set = {"points=64"};
  EXPECT_EQ(KeyOf({"aisivi", true}, "x_shaped", 2, settings),
            (FitKey{"x_shaped", "aisivi", "aisivi_x_shaped",
                    "iterations=1000 decay_every=500 points=64", 2}));
  EXPECT_EQ(KeyOf({"bsivi", true}, "banana", 1, settings),
            (FitKey{"banana", "bsivi", "bsivi_banana", "points=64", 1}));
  EXPECT_EQ(KeyOf({"aisivi", false}, "banana", 1, settings),
            (FitKey{"banana", "aisivi", "", "points=64", 1}));
}

TEST(Variant, ThePaperSizeTakesPresetsAsTheyAre) {
  Settings settings;
  settings.size = Size::kPaper;
  EXPECT_EQ(KeyOf({"aisivi", true}, "banana", 1, settings).set, "");
}

TEST(Variant, Names) {
  EXPECT_EQ(Title({"aisivi", true}), "aisivi, authors' preset");
  EXPECT_EQ(Label({"bsivi", false}), "bsivi default");
  EXPECT_EQ(JoinSets({"", "a=1", "", "b=2"}), "a=1 b=2");
}

TEST(Variant, SettingsOfTheExperiments) {
  EXPECT_EQ(TrainedFor(200), "iterations=200 keep_last=true");
  EXPECT_EQ(AtMost(500), "iterations=500");
  EXPECT_EQ(WithCouplings(16), "couplings=16");
}

}  // namespace
}  // namespace aisivi::experiments
