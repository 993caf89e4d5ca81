#include "client/experiments/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;

TEST(Registry, NamesAreDistinctAndDescribed) {
  std::set<std::string> names;
  for (const ExperimentEntry& entry : ExperimentRegistry()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_FALSE(entry.doc.empty()) << entry.name;
    EXPECT_NE(entry.run, nullptr) << entry.name;
    EXPECT_EQ((*FindExperiment(entry.name))->name, entry.name);
  }
}

TEST(Registry, AnUnknownNameListsThoseThereAre) {
  const absl::Status status = FindExperiment("nosuch").status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(
      std::string(status.message()),
      HasSubstr("NAME: 'nosuch' is not one of toy, convergence, significance, diffusion, logistic, "
                "ablation-k, dimension, architecture, peers"));
}

TEST(Registry, FlagsThatAnExperimentDoesNotTake) {
  Settings settings;
  EXPECT_TRUE(CheckFlags(**FindExperiment("toy"), settings).ok());
  settings.target = "banana";
  EXPECT_TRUE(CheckFlags(**FindExperiment("convergence"), settings).ok());
  settings.methods = {"a", "b"};
  EXPECT_TRUE(CheckFlags(**FindExperiment("significance"), settings).ok());
  const absl::Status methods = CheckFlags(**FindExperiment("convergence"), settings);
  EXPECT_TRUE(absl::IsInvalidArgument(methods)) << methods;
  EXPECT_THAT(std::string(methods.message()), HasSubstr("--methods: "));
}

}  // namespace
}  // namespace aisivi::experiments
