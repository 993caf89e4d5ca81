#include "engine/fit/start.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/targets/registry.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

// The networks of a mixture start, each component's parameters in one vector.
std::vector<Eigen::VectorXf> Networks(uint64_t seed) {
  ThreadPool pool(2);
  const Eigen::MatrixXd unit = Eigen::MatrixXd::Identity(1, 1);
  const auto target =
      MakeTarget("gaussian_mixture", {{"weights", Eigen::VectorXd{{0.5, 0.5}}},
                                      {"means", Eigen::MatrixXd{{-20.0}, {20.0}}},
                                      {"covariances", std::vector<Eigen::MatrixXd>{unit, unit}}});
  FitOptions options = test::Short();
  options.seed = seed;
  std::vector<std::string> log;
  const auto starts = StartModels(**target, options, pool, nullptr, &log);
  std::vector<Eigen::VectorXf> networks;
  for (const Component& c : starts->starts.front().state.components) {
    const Eigen::VectorXf &family = c.family.parameters(), &flow = c.proposal.parameters();
    networks.emplace_back(family.size() + flow.size());
    networks.back() << family, flow;
  }
  return networks;
}

// Random numbers fill these; what starts at zero is equal everywhere.
int64_t EqualAndNotZero(const Eigen::VectorXf& a, const Eigen::VectorXf& b) {
  return ((a.array() == b.array()) && (a.array() != 0.0f)).count();
}

TEST(StartTest, NetworksOfNeighboursDiffer) {
  const std::vector<Eigen::VectorXf> here = Networks(7), next = Networks(8);
  ASSERT_EQ(here.size(), 2);
  ASSERT_EQ(next.size(), 2);
  ASSERT_GT((here[0].array() != 0.0f).count(), 1000);
  std::vector<const Eigen::VectorXf*> all = {&here[0], &here[1], &next[0], &next[1]};
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_LT(EqualAndNotZero(*all[i], *all[j]), 10) << i << j;
  }
}

TEST(StartTest, TheProposalIsOfTheKindAskedFor) {
  const auto target = test::Make("banana");
  ThreadPool pool(1);
  for (const char* coupling : {"affine", "spline"}) {
    FitOptions options = test::Short();
    options.warm_start = "none";
    options.coupling = coupling;
    std::vector<std::string> log;
    const auto starts = StartModels(*target, options, pool, nullptr, &log);
    ASSERT_TRUE(starts.ok());
    const Component& component = starts->starts.front().state.components.front();
    EXPECT_EQ(EntryOf(component.proposal.config().coupling).name, coupling);
  }
}

}  // namespace
}  // namespace aisivi
