#include "client/experiments/reference_draws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/experiments/fingerprint.h"
#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;

TEST(ReferenceDraws, OneDrawPerLine) {
  const Folder folder;
  WriteFile(folder / "r.csv", "a,b\n1,2\n3,4\n5,6\n");
  const auto reference = ReadReference(folder / "r.csv", 2);
  ASSERT_TRUE(reference.ok()) << reference.status();
  Eigen::MatrixXd expected(2, 3);
  expected << 1, 3, 5,  //
      2, 4, 6;
  EXPECT_EQ(**reference, expected);
}

TEST(ReferenceDraws, NoFileIsNothing) {
  const auto reference = ReadReference("", 2);
  ASSERT_TRUE(reference.ok());
  EXPECT_FALSE(reference->has_value());
}

TEST(ReferenceDraws, WhatIsWrongIsNamed) {
  const Folder folder;
  WriteFile(folder / "r.csv", "1,2\n3,x\n");
  EXPECT_THAT(std::string(ReadReference(folder / "r.csv", 2).status().message()),
              HasSubstr("--reference: "));
  WriteFile(folder / "r.csv", "1,2\n");
  const absl::Status columns = ReadReference(folder / "r.csv", 3).status();
  EXPECT_TRUE(absl::IsInvalidArgument(columns)) << columns;
  EXPECT_THAT(std::string(columns.message()), HasSubstr("has 2 columns, the posterior 3"));
  EXPECT_THAT(std::string(ReadReference(folder / "none.csv", 3).status().message()),
              HasSubstr("--reference: "));
}

TEST(Fingerprint, TellsContentsApart) {
  EXPECT_EQ(Fingerprint(""), "811c9dc5");
  EXPECT_EQ(Fingerprint("a"), "e40c292c");
  EXPECT_NE(Fingerprint(Eigen::MatrixXd::Zero(2, 2)), Fingerprint(Eigen::MatrixXd::Ones(2, 2)));
}

}  // namespace
}  // namespace aisivi::experiments
