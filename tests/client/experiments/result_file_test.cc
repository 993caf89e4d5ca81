#include "client/experiments/result_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;

FitResult ExampleResult(uint64_t seed) {
  FitResult result;
  result.key = {"banana", "aisivi", "aisivi_banana", "iterations=20 points=16", seed};
  result.state = "SUCCEEDED";
  result.reason = "CONVERGED";
  result.grade = "GOOD";
  result.seconds = 1.25;
  result.log_z = -0.001;
  result.elbo_lower = -0.1;
  result.measures["kl"] = 0.125;
  return result;
}

TEST(ResultFile, ResultsAreFoundAgain) {
  const Folder folder;
  {
    const auto file = ResultFile::Open(folder / "results.csv", "toy", {"kl"});
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ((*file)->Find(ExampleResult(1).key), nullptr);
    ASSERT_TRUE((*file)->Append(ExampleResult(1)).ok());
    ASSERT_TRUE((*file)->Append(ExampleResult(2)).ok());
  }
  const auto file = ResultFile::Open(folder / "results.csv", "toy", {"kl"});
  ASSERT_TRUE(file.ok()) << file.status();
  const FitResult* found = (*file)->Find(ExampleResult(2).key);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->reason, "CONVERGED");
  EXPECT_EQ(found->seconds, 1.25);
  EXPECT_EQ(found->log_z, -0.001);
  EXPECT_EQ(MeasureOf(*found, "kl"), 0.125);
  EXPECT_TRUE(std::isnan(found->pareto_k));
  EXPECT_TRUE(std::isnan(MeasureOf(*found, "other")));
}

TEST(ResultFile, EveryPartOfTheKeyCounts) {
  const Folder folder;
  const auto file = ResultFile::Open(folder / "results.csv", "toy", {});
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Append(ExampleResult(1)).ok());
  FitKey key = ExampleResult(1).key;
  EXPECT_NE((*file)->Find(key), nullptr);
  for (std::string FitKey::*part :
       {&FitKey::target, &FitKey::method, &FitKey::preset, &FitKey::set}) {
    key = ExampleResult(1).key;
    key.*part = "other";
    EXPECT_EQ((*file)->Find(key), nullptr);
  }
}

TEST(ResultFile, HalfALineIsDroppedAndOverwritten) {
  const Folder folder;
  {
    const auto file = ResultFile::Open(folder / "results.csv", "toy", {"kl"});
    ASSERT_TRUE((*file)->Append(ExampleResult(1)).ok());
    ASSERT_TRUE((*file)->Append(ExampleResult(2)).ok());
  }
  const std::string whole = ReadFile(folder / "results.csv");
  WriteFile(folder / "results.csv", whole.substr(0, whole.size() - 9));
  {
    const auto file = ResultFile::Open(folder / "results.csv", "toy", {"kl"});
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_NE((*file)->Find(ExampleResult(1).key), nullptr);
    EXPECT_EQ((*file)->Find(ExampleResult(2).key), nullptr);
    ASSERT_TRUE((*file)->Append(ExampleResult(2)).ok());
  }
  EXPECT_EQ(ReadFile(folder / "results.csv"), whole);
}

TEST(ResultFile, HalfAHeaderIsNone) {
  const Folder folder;
  WriteFile(folder / "results.csv", "experiment,tar");
  const auto file = ResultFile::Open(folder / "results.csv", "toy", {});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(ReadFile(folder / "results.csv"), testing::StartsWith("experiment,target,"));
}

TEST(ResultFile, AHeaderAloneBelongsToNobody) {
  const Folder folder;
  ASSERT_TRUE(ResultFile::Open(folder / "results.csv", "toy", {"kl"}).ok());
  ASSERT_TRUE(ResultFile::Open(folder / "results.csv", "significance", {}).ok());
  EXPECT_EQ(ReadFile(folder / "results.csv").find("kl"), std::string::npos);
}

TEST(ResultFile, ALaterLineReplacesAnEarlierOne) {
  const Folder folder;
  const auto file = ResultFile::Open(folder / "results.csv", "toy", {"kl"});
  ASSERT_TRUE((*file)->Append(ExampleResult(1)).ok());
  FitResult again = ExampleResult(1);
  again.log_z = 7;
  ASSERT_TRUE((*file)->Append(again).ok());
  EXPECT_EQ((*file)->Find(again.key)->log_z, 7);
}

TEST(ResultFile, OtherResultsAreRefused) {
  const Folder folder;
  {
    const auto file = ResultFile::Open(folder / "results.csv", "toy", {});
    ASSERT_TRUE((*file)->Append(ExampleResult(1)).ok());
  }
  const absl::Status other = ResultFile::Open(folder / "results.csv", "significance", {}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(other)) << other;
  EXPECT_THAT(std::string(other.message()), HasSubstr("--out: "));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ResultFile::Open(folder / "results.csv", "toy", {"other"}).status()));
}

TEST(ResultFile, AWholeLineThatCannotBeReadIsNamed) {
  const Folder folder;
  {
    const auto file = ResultFile::Open(folder / "results.csv", "toy", {});
    ASSERT_TRUE((*file)->Append(ExampleResult(1)).ok());
  }
  const std::string whole = ReadFile(folder / "results.csv");
  for (const std::string& bad :
       {std::string("toy,banana\n"), std::string("\"toy\n"),
        "toy,banana,a,b,c,minus one,s,r,g" + std::string(",1,1,1,1,1,1,1,1,1,1\n"),
        "toy,banana,a,b,c,1,s,r,g" + std::string(",1,1,1,x,1,1,1,1,1,1\n")}) {
    WriteFile(folder / "results.csv", whole + bad);
    const absl::Status status = ResultFile::Open(folder / "results.csv", "toy", {}).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << bad << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("results.csv:3: "));
  }
}

TEST(ResultFile, OneWriterAtATime) {
  const Folder folder;
  const auto first = ResultFile::Open(folder / "results.csv", "toy", {});
  ASSERT_TRUE(first.ok());
  const absl::Status second = ResultFile::Open(folder / "results.csv", "toy", {}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second)) << second;
  EXPECT_THAT(std::string(second.message()), HasSubstr("another process"));
}

TEST(ResultFile, AFolderThatDoesNotExistIsNamed) {
  const Folder folder;
  const absl::Status status = ResultFile::Open(folder / "no/results.csv", "toy", {}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("--out: "));
}

TEST(FitResult, GapPrefersTheKnownEvidence) {
  FitResult result = ExampleResult(1);
  EXPECT_DOUBLE_EQ(Gap(result), -0.001 + 0.1);
  result.known_log_z = 0;
  EXPECT_DOUBLE_EQ(Gap(result), 0.1);
}

TEST(FitResult, FileStemsTellKeysApart) {
  EXPECT_EQ(FileStem({"banana", "bsivi", "", "", 3}), "banana_bsivi_seed3");
  EXPECT_EQ(FileStem({"banana", "bsivi", "bsivi_banana", "", 3}), "banana_bsivi_banana_seed3");
  EXPECT_NE(FileStem({"banana", "bsivi", "", "points=16", 3}),
            FileStem({"banana", "bsivi", "", "points=17", 3}));
}

}  // namespace
}  // namespace aisivi::experiments
