#include "server/store/fit_store.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/durable_file.h"
#include "tests/server/temporary_directory.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

FitRecord Record(const std::string& name) {
  FitRecord record;
  record.mutable_fit()->set_name(name);
  record.set_model(std::string("\0\xff bytes", 8));
  record.set_last_sequence(7);
  return record;
}

class FitStoreTest : public ::testing::Test {
 protected:
  FitStoreTest() {
    absl::StatusOr<std::unique_ptr<FitStore>> store = FitStore::Open(directory_.path());
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  std::string FileOf(const std::string& id) const {
    return directory_.path() + "/fits/" + id + ".fit";
  }

  TemporaryDirectory directory_;
  std::unique_ptr<FitStore> store_;
};

TEST_F(FitStoreTest, ReadsWhatItWrote) {
  ASSERT_TRUE(store_->Write("a", Record("fits/a")).ok());
  ASSERT_TRUE(store_->Write("b", Record("fits/b")).ok());
  ASSERT_TRUE(store_->Write("b", Record("fits/bb")).ok());
  EXPECT_THAT(store_->Ids(), UnorderedElementsAre("a", "b"));
  const absl::StatusOr<FitRecord> read = store_->Read("b");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), Record("fits/bb").SerializeAsString());
}

TEST_F(FitStoreTest, RemovedFitsAreGone) {
  ASSERT_TRUE(store_->Write("a", Record("fits/a")).ok());
  ASSERT_TRUE(store_->Remove("a").ok());
  EXPECT_TRUE(absl::IsNotFound(store_->Read("a").status()));
  EXPECT_TRUE(store_->Ids().empty());
  EXPECT_TRUE(store_->Remove("a").ok());
}

TEST_F(FitStoreTest, EveryDamageIsNoticed) {
  ASSERT_TRUE(store_->Write("a", Record("fits/a")).ok());
  const std::string good = *ReadFile(FileOf("a"));
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    std::ofstream(FileOf("a"), std::ios::binary) << bad;
    EXPECT_EQ(store_->Read("a").status().code(), absl::StatusCode::kDataLoss) << "byte " << i;
  }
  for (size_t size = 0; size < good.size(); ++size) {
    std::ofstream(FileOf("a"), std::ios::binary) << good.substr(0, size);
    EXPECT_EQ(store_->Read("a").status().code(), absl::StatusCode::kDataLoss) << size << " bytes";
  }
}

TEST_F(FitStoreTest, OneServerAtATime) {
  const absl::Status second = FitStore::Open(directory_.path()).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.message()), HasSubstr("in use by another server"));
  store_.reset();
  EXPECT_TRUE(FitStore::Open(directory_.path()).ok());
}

TEST_F(FitStoreTest, WhatAnInterruptedWriteLeftIsRemoved) {
  const std::string left = FileOf("a") + ".tmp";
  std::ofstream(left) << "half";
  store_.reset();
  const auto store = FitStore::Open(directory_.path());
  ASSERT_TRUE(store.ok());
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE((*store)->Ids().empty());
}

TEST_F(FitStoreTest, CheckpointsAreReplacedAndGoWithTheFit) {
  EXPECT_TRUE(absl::IsNotFound(store_->ReadCheckpoint("a").status()));
  ASSERT_TRUE(store_->Write("a", Record("fits/a")).ok());
  ASSERT_TRUE(store_->WriteCheckpoint("a", "first").ok());
  ASSERT_TRUE(store_->WriteCheckpoint("a", std::string("\0second", 7)).ok());
  EXPECT_EQ(*store_->ReadCheckpoint("a"), std::string("\0second", 7));
  EXPECT_THAT(store_->Ids(), ElementsAre("a"));
  ASSERT_TRUE(store_->RemoveCheckpoint("a").ok());
  EXPECT_TRUE(store_->RemoveCheckpoint("a").ok());
  EXPECT_TRUE(absl::IsNotFound(store_->ReadCheckpoint("a").status()));
  ASSERT_TRUE(store_->WriteCheckpoint("a", "third").ok());
  ASSERT_TRUE(store_->Remove("a").ok());
  EXPECT_TRUE(absl::IsNotFound(store_->ReadCheckpoint("a").status()));
}

TEST_F(FitStoreTest, CheckpointsWithoutAFitAreRemoved) {
  ASSERT_TRUE(store_->Write("a", Record("fits/a")).ok());
  ASSERT_TRUE(store_->WriteCheckpoint("a", "kept").ok());
  ASSERT_TRUE(store_->WriteCheckpoint("b", "orphaned").ok());
  const std::string left = directory_.path() + "/fits/a.checkpoint.tmp";
  std::ofstream(left) << "half";
  store_.reset();
  const auto store = FitStore::Open(directory_.path());
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(*(*store)->ReadCheckpoint("a"), "kept");
  EXPECT_TRUE(absl::IsNotFound((*store)->ReadCheckpoint("b").status()));
  EXPECT_FALSE(std::filesystem::exists(left));
}

TEST(DurableFileTest, FailureLeavesNothingBehind) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/none/file";
  EXPECT_FALSE(WriteFileDurably(path, "x").ok());
  EXPECT_TRUE(absl::IsNotFound(ReadFile(path).status()));
  // A directory in the file's place: the rename fails, and the temporary file goes.
  const std::string occupied = directory.path() + "/occupied";
  std::filesystem::create_directories(occupied + "/inside");
  EXPECT_FALSE(WriteFileDurably(occupied, "x").ok());
  EXPECT_FALSE(std::filesystem::exists(occupied + ".tmp"));
}

TEST(DurableFileTest, FingerprintIsFnv1a) {
  EXPECT_EQ(Fingerprint(""), 0xcbf29ce484222325u);
  EXPECT_EQ(Fingerprint("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(Fingerprint("foobar"), 0x85944171f73967e8u);
}

}  // namespace
}  // namespace aisivi::server
