// The recorded API against the one that is built.
#include "tests/proto/wire.h"

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::set<std::string> Recorded() {
  std::ifstream file(std::string(AISIVI_SOURCE_DIR) + "/tests/proto/wire.txt");
  std::set<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.insert(line);
  return lines;
}

TEST(WireTest, NothingRecordedIsBroken) {
  ASSERT_GT(Recorded().size(), 100u);
  EXPECT_THAT(BrokenLines(Recorded(), WireListing()), IsEmpty()) << "see proto/README.md";
}

TEST(WireTest, WhatWasAddedIsRecorded) {
  EXPECT_THAT(BrokenLines(WireListing(), Recorded()), IsEmpty())
      << "run tests/proto/record_wire and commit what it writes";
}

TEST(WireTest, BreaksAreFound) {
  const std::set<std::string> recorded = {"field p.M 1 a: string", "field p.M 2 b: repeated int64",
                                          "value p.E 1 E_ONE", "rpc p.S.Get: p.A -> p.B"};
  EXPECT_THAT(BrokenLines(recorded, recorded), IsEmpty());
  const auto broken_by = [&](const std::string& old, const std::set<std::string>& instead) {
    std::set<std::string> now = recorded;
    now.erase(old);
    now.insert(instead.begin(), instead.end());
    return BrokenLines(recorded, now);
  };
  EXPECT_THAT(broken_by("field p.M 1 a: string", {"field p.M 1 a: bytes"}),
              ElementsAre("field p.M 1 a: string"));
  EXPECT_THAT(broken_by("field p.M 1 a: string", {"field p.M 3 a: string"}),
              ElementsAre("field p.M 1 a: string"));
  EXPECT_THAT(broken_by("field p.M 1 a: string", {"reserved p.M 1"}),
              ElementsAre("field p.M 1 a: string"))
      << "its name may come back with another meaning in JSON";
  EXPECT_THAT(broken_by("field p.M 1 a: string", {"reserved p.M 1", "reserved p.M a"}), IsEmpty());
  EXPECT_THAT(broken_by("value p.E 1 E_ONE", {"value p.E 2 E_ONE"}),
              ElementsAre("value p.E 1 E_ONE"));
  EXPECT_THAT(broken_by("rpc p.S.Get: p.A -> p.B", {"rpc p.S.Get: p.A -> stream p.B"}),
              ElementsAre("rpc p.S.Get: p.A -> p.B"));
  EXPECT_THAT(
      broken_by("rpc p.S.Get: p.A -> p.B", {"rpc p.S.Get: p.A -> p.B", "field p.N 1 a: bool"}),
      IsEmpty())
      << "additions break nothing";
}

}  // namespace
}  // namespace aisivi
