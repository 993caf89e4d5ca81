#include "server/store/dataset_store.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/dataset_name.h"
#include "server/store/dataset_upload.h"
#include "server/store/durable_file.h"
#include "server/store/sha256.h"
#include "tests/server/temporary_directory.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kTable[] = "y,age\n1,20\n0,31.5\n";
constexpr char kOther[] = "y,age\n1,20\n0,32\n";

absl::Status Unused() { return absl::OkStatus(); }

class DatasetStoreTest : public ::testing::Test {
 protected:
  DatasetStoreTest() { Open({}); }

  // A new server on the same directory.
  void Open(const DatasetLimits& limits) {
    store_.reset();
    absl::StatusOr<std::unique_ptr<DatasetStore>> store =
        DatasetStore::Open(directory_.path(), limits);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  absl::StatusOr<v1::Dataset> Upload(const std::string& text, const std::string& name = "") {
    absl::StatusOr<std::unique_ptr<DatasetUpload>> upload =
        store_->Begin(name, static_cast<int64_t>(text.size()));
    if (!upload.ok()) return upload.status();
    if (absl::Status status = (*upload)->Write(text); !status.ok()) return status;
    return (*upload)->Commit();
  }
  std::string MustUpload(const std::string& text) {
    const absl::StatusOr<v1::Dataset> dataset = Upload(text);
    EXPECT_TRUE(dataset.ok()) << dataset.status();
    return *ParseDatasetName(dataset->name(), "name");
  }

  absl::StatusOr<std::string> Read(const std::string& id) {
    absl::StatusOr<DatasetContent> content = store_->Content(id);
    if (!content.ok()) return content.status();
    std::string bytes;
    while (true) {
      const absl::StatusOr<absl::string_view> block = content->Next();
      if (!block.ok()) return block.status();
      if (block->empty()) return bytes;
      bytes += std::string(*block);
    }
  }

  std::string FileOf(const std::string& id) const {
    return absl::StrCat(directory_.path(), "/datasets/", id, ".dataset");
  }
  int Files() const {
    const std::filesystem::directory_iterator files(directory_.path() + "/datasets");
    return static_cast<int>(std::distance(begin(files), end(files)));
  }
  static void Write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<DatasetStore> store_;
};

// The examples of FIPS 180-4's author.
TEST(Sha256Test, KnownDigests) {
  Sha256 empty;
  EXPECT_EQ(empty.Finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 abc;
  abc.Update("a");
  abc.Update("bc");
  EXPECT_EQ(abc.Finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(DatasetStoreTest, DescribesWhatItStores) {
  const absl::StatusOr<v1::Dataset> dataset = Upload(kTable, "ages");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  Sha256 hash;
  hash.Update(kTable);
  EXPECT_EQ(dataset->sha256(), hash.Finish());
  EXPECT_EQ(dataset->name(), "datasets/" + dataset->sha256().substr(0, 32));
  EXPECT_EQ(dataset->display_name(), "ages");
  EXPECT_EQ(dataset->size_bytes(), static_cast<int64_t>(sizeof(kTable) - 1));
  EXPECT_EQ(dataset->rows(), 2);
  EXPECT_EQ(dataset->column_count(), 2);
  ASSERT_EQ(dataset->columns_size(), 2);
  EXPECT_EQ(dataset->columns(0).kind(), v1::Dataset::COLUMN_KIND_INTEGER);
  EXPECT_EQ(dataset->columns(1).name(), "age");
  EXPECT_EQ(dataset->columns(1).kind(), v1::Dataset::COLUMN_KIND_REAL);
  EXPECT_EQ(dataset->columns(1).minimum(), 20);
  EXPECT_EQ(dataset->columns(1).maximum(), 31.5);
  EXPECT_FALSE(dataset->has_error());
}

TEST_F(DatasetStoreTest, IsThereAgainAfterARestart) {
  const std::string first = MustUpload(kTable), second = MustUpload(kOther);
  const v1::Dataset before = *store_->Get(first);
  Open({});
  EXPECT_EQ(store_->Get(first)->SerializeAsString(), before.SerializeAsString());
  EXPECT_EQ(*Read(first), kTable);
  EXPECT_EQ(*Read(second), kOther);
  const std::vector<v1::Dataset> listed = store_->List(0, 10);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].name(), DatasetName(second)) << "the newest first";
  EXPECT_EQ(listed[1].columns_size(), 0);
  EXPECT_EQ(listed[1].column_count(), 2);
  const std::vector<v1::Dataset> older = store_->List(DatasetStore::Age(listed[0]), 10);
  ASSERT_EQ(older.size(), 1u);
  EXPECT_EQ(older[0].name(), DatasetName(first));
}

TEST_F(DatasetStoreTest, LargerThanABlock) {
  std::string text = "y,x\n";
  while (text.size() < (3 << 18)) absl::StrAppend(&text, text.size(), ",", 0.5, "\n");
  const std::string id = MustUpload(text);
  EXPECT_EQ(*Read(id), text);
}

TEST_F(DatasetStoreTest, TheSameBytesAreTheSameDataSet) {
  const v1::Dataset first = *Upload(kTable, "first");
  const absl::StatusOr<v1::Dataset> again = Upload(kTable, "again");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(Files(), 1);
  EXPECT_EQ(store_->List(0, 10).size(), 1u);
}

TEST_F(DatasetStoreTest, DamageIsNoticedWhereverItIs) {
  const std::string id = MustUpload(kTable);
  const std::string good = *ReadFile(FileOf(id));
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    Write(FileOf(id), bad);
    EXPECT_TRUE(absl::IsDataLoss(Read(id).status())) << "byte " << i << Read(id).status();
  }
  for (size_t size = 0; size < good.size(); ++size) {
    Write(FileOf(id), good.substr(0, size));
    EXPECT_TRUE(absl::IsDataLoss(Read(id).status())) << size << " bytes";
    EXPECT_TRUE(absl::IsDataLoss(store_->Get(id).status())) << size << " bytes";
  }
  Write(FileOf(id), good);
  EXPECT_EQ(*Read(id), kTable);
}

TEST_F(DatasetStoreTest, ADamagedOneIsListedAndMendedByAnotherUpload) {
  const std::string id = MustUpload(kTable);
  const std::string good = *ReadFile(FileOf(id));
  Write(FileOf(id), good.substr(0, good.size() / 2));
  Open({});
  std::vector<v1::Dataset> listed = store_->List(0, 10);
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].name(), DatasetName(id));
  EXPECT_EQ(listed[0].error().code(), static_cast<int>(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(absl::IsDataLoss(Read(id).status()));
  ASSERT_TRUE(Upload(kTable).ok());
  EXPECT_EQ(*Read(id), kTable);
  // The bytes alone, with the right length, too.
  std::string bad = good;
  bad[8] = '9';
  Write(FileOf(id), bad);
  EXPECT_TRUE(absl::IsDataLoss(Read(id).status()));
  const absl::StatusOr<DatasetLease> lease = store_->Lease(id);
  ASSERT_TRUE(Upload(kTable).ok());
  EXPECT_EQ(*Read(id), kTable);
  EXPECT_FALSE(store_->List(0, 10)[0].has_error());
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->Delete(id, Unused))) << "the lease still holds";
}

TEST_F(DatasetStoreTest, DamagedOnesOfAnyTimeAreListedOnce) {
  for (const char letter : {'a', 'b'}) {
    const std::string path = FileOf(std::string(32, letter));
    Write(path, "damaged");
    const absl::Time time = absl::UnixEpoch() - absl::Hours(letter - 'a');
    std::filesystem::last_write_time(path,
                                     std::chrono::file_clock::from_sys(absl::ToChronoTime(time)));
  }
  Open({});
  const std::vector<v1::Dataset> first = store_->List(0, 1);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_GT(DatasetStore::Age(first[0]), 0) << "no page begins there";
  const std::vector<v1::Dataset> second = store_->List(DatasetStore::Age(first[0]), 9);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_NE(second[0].name(), first[0].name());
  EXPECT_GT(DatasetStore::Age(second[0]), 0);
}

TEST_F(DatasetStoreTest, AFileUnderAnotherNameIsDamaged) {
  const std::string id = MustUpload(kTable);
  const std::string other(32, 'a');
  std::filesystem::rename(FileOf(id), FileOf(other));
  Open({});
  ASSERT_EQ(store_->List(0, 10).size(), 1u);
  EXPECT_THAT(store_->List(0, 10)[0].error().message(), HasSubstr("holds another data set"));
}

TEST_F(DatasetStoreTest, WhatABrokenUploadLeftIsRemoved) {
  {
    absl::StatusOr<std::unique_ptr<DatasetUpload>> upload = store_->Begin("", 100);
    ASSERT_TRUE((*upload)->Write(kTable).ok());
    EXPECT_EQ(Files(), 1);
    EXPECT_TRUE(store_->List(0, 10).empty()) << "until it is complete nothing can be seen";
  }
  EXPECT_EQ(Files(), 0);
  // After a crash.
  Write(directory_.path() + "/datasets/upload-7.tmp", "half");
  Write(directory_.path() + "/datasets/README", "not a data set");
  Open({});
  EXPECT_EQ(Files(), 1);
  EXPECT_TRUE(store_->List(0, 10).empty());
}

TEST_F(DatasetStoreTest, RefusesWhatIsNoTable) {
  const absl::Status status = Upload("y,x\n1,\n").status();
  EXPECT_THAT(std::string(status.message()), StartsWith("chunk.data: line 2: column 2 (x): "));
  EXPECT_TRUE(absl::IsInvalidArgument(Upload("1,2\n").status()));
  EXPECT_THAT(std::string(Upload("y,x\n").status().message()),
              StartsWith("chunk.data: there are no rows"));
  EXPECT_EQ(Files(), 0);
}

TEST_F(DatasetStoreTest, ExactlyTheBytesThatWereAnnounced) {
  absl::StatusOr<std::unique_ptr<DatasetUpload>> upload = store_->Begin("", 8);
  ASSERT_TRUE((*upload)->Write("y,x\n1,").ok());
  EXPECT_THAT(std::string((*upload)->Write("2\n\n").message()), HasSubstr("more bytes than the 8"));
  EXPECT_THAT(std::string((*upload)->Commit().status().message()), HasSubstr("after 6 of 8 bytes"));
  EXPECT_TRUE(store_->List(0, 10).empty());
}

TEST_F(DatasetStoreTest, Limits) {
  Open({.max_bytes = 20, .quota_bytes = 8192});
  const std::string table = "y,x\n1,2\n";
  EXPECT_THAT(std::string(Upload(std::string(21, 'x')).status().message()),
              HasSubstr("at most 20 bytes"));
  EXPECT_TRUE(absl::IsResourceExhausted(Upload(std::string(21, 'x')).status()));
  // Two files of a block each fill the quota.
  ASSERT_TRUE(Upload(table).ok());
  const std::string second = MustUpload("y,x\n1,3\n");
  const absl::Status full = Upload("y,x\n1,4\n").status();
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_THAT(std::string(full.message()), HasSubstr("0 are free"));
  Open({.max_bytes = 20, .quota_bytes = 8192});
  EXPECT_TRUE(absl::IsResourceExhausted(Upload("y,x\n1,4\n").status())) << "after a restart too";
  ASSERT_TRUE(store_->Delete(second, Unused).ok());
  EXPECT_TRUE(Upload("y,x\n1,4\n").ok());
}

TEST_F(DatasetStoreTest, UploadsOnTheirWayCount) {
  Open({.max_bytes = 1000, .quota_bytes = 30});
  absl::StatusOr<std::unique_ptr<DatasetUpload>> one = store_->Begin("", 20);
  absl::StatusOr<std::unique_ptr<DatasetUpload>> two = store_->Begin("", 20);
  ASSERT_TRUE(one.ok() && two.ok());
  ASSERT_TRUE((*one)->Write("y,x\n1,2\n1,2\n1,2\n").ok());
  EXPECT_TRUE(absl::IsResourceExhausted((*two)->Write("y,x\n1,2\n1,2\n1,3\n")));
  one->reset();
  EXPECT_TRUE((*two)->Write("").ok());
  EXPECT_TRUE(store_->Begin("", 30).ok());
}

TEST_F(DatasetStoreTest, ALeaseKeepsADataSet) {
  const std::string id = MustUpload(kTable);
  absl::StatusOr<DatasetLease> one = store_->Lease(id), two = store_->Lease(id);
  ASSERT_TRUE(one.ok() && two.ok());
  one->reset();
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->Delete(id, Unused)));
  two->reset();
  EXPECT_EQ(store_->Delete(id, [] { return absl::AbortedError("used"); }).message(), "used");
  // While it is asked whether a fit names it no new one can.
  const absl::Status deleted = store_->Delete(id, [&] {
    EXPECT_TRUE(absl::IsNotFound(store_->Lease(id).status()));
    return absl::OkStatus();
  });
  EXPECT_TRUE(deleted.ok()) << deleted;
  EXPECT_EQ(Files(), 0);
  EXPECT_TRUE(absl::IsNotFound(store_->Get(id).status()));
  EXPECT_TRUE(absl::IsNotFound(Read(id).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Lease(id).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Delete(id, Unused)));
}

TEST(DatasetNameTest, OnlyIdsOfItsForm) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(*ParseDatasetName("datasets/" + id, "name"), id);
  const std::vector<std::string> bad = {"",
                                        id,
                                        "datasets/",
                                        "datasets/" + id + "0",
                                        "datasets/" + id.substr(1),
                                        "datasets/../../../../../../../etc/passwd",
                                        "datasets/0123456789ABCDEF0123456789ABCDEF",
                                        "fits/" + id};
  for (const std::string& name : bad) {
    const absl::Status status = ParseDatasetName(name, "name").status();
    EXPECT_THAT(std::string(status.message()), StartsWith("name: must read datasets/{id}")) << name;
  }
}

}  // namespace
}  // namespace aisivi::server
