#include "server/store/dataset_store.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/util/time_util.h"
#include "server/status.h"
#include "server/store/dataset_name.h"
#include "server/store/dataset_upload.h"
#include "server/store/durable_file.h"

namespace aisivi::server {
namespace {

using google::protobuf::util::TimeUtil;

constexpr char kSuffix[] = ".dataset";
constexpr int64_t kFileBlock = 4096;

int64_t Counted(int64_t bytes) { return (bytes + kFileBlock - 1) / kFileBlock * kFileBlock; }

absl::Status NoDataset(const std::string& id) {
  return absl::NotFoundError(absl::StrCat("there is no data set ", DatasetName(id)));
}

// What can be said of a file whose record cannot be read.
v1::Dataset Damaged(const std::string& id, const std::filesystem::directory_entry& file,
                    const absl::Status& error) {
  v1::Dataset dataset;
  dataset.set_name(DatasetName(id));
  std::error_code ignored;
  dataset.set_size_bytes(static_cast<int64_t>(file.file_size(ignored)));
  const auto written = std::chrono::file_clock::to_sys(file.last_write_time(ignored));
  // Lists begin at 0, whatever an archive has made of the file's time.
  *dataset.mutable_create_time() = TimeUtil::NanosecondsToTimestamp(
      std::max<int64_t>(1, absl::ToUnixNanos(absl::FromChrono(written))));
  *dataset.mutable_error() = ToRpcStatus(error);
  return dataset;
}

}  // namespace

DatasetStore::DatasetStore(std::string directory, const DatasetLimits& limits)
    : directory_(std::move(directory)), limits_(limits) {}

absl::StatusOr<std::unique_ptr<DatasetStore>> DatasetStore::Open(const std::string& directory,
                                                                 const DatasetLimits& limits) {
  std::unique_ptr<DatasetStore> store(
      new DatasetStore(absl::StrCat(directory, "/datasets"), limits));
  if (absl::Status status = CreateDirectories(store->directory_); !status.ok()) return status;
  RemoveTemporaries(store->directory_);
  store->TakeUp();
  return store;
}

void DatasetStore::TakeUp() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(directory_, error)) {
    const std::string id = file.path().stem();
    if (file.path().extension() != kSuffix || !IsDatasetId(id)) continue;
    absl::StatusOr<v1::Dataset> dataset = ReadDatasetRecord(file.path());
    if (dataset.ok() && dataset->name() != DatasetName(id)) {
      dataset = absl::DataLossError(
          absl::StrCat(file.path().string(), " holds another data set, ", dataset->name()));
    }
    std::error_code ignored;
    const auto bytes = static_cast<int64_t>(file.file_size(ignored));
    Insert(id, dataset.ok() ? *std::move(dataset) : Damaged(id, file, dataset.status()), bytes);
  }
}

std::string DatasetStore::PathOf(const std::string& id) const {
  return absl::StrCat(directory_, "/", id, kSuffix);
}

std::string DatasetStore::NewTemporary() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return absl::StrCat(directory_, "/upload-", ++temporaries_, ".tmp");
}

absl::StatusOr<std::unique_ptr<DatasetUpload>> DatasetStore::Begin(const std::string& display_name,
                                                                   int64_t size_bytes) {
  if (size_bytes > limits_.max_bytes) {
    return LimitExceeded("DATASET_TOO_LARGE", "metadata.size_bytes",
                         absl::StrCat("is ", size_bytes, "; a data set has at most ",
                                      limits_.max_bytes, " bytes here"),
                         limits_.max_bytes);
  }
  // Too early to reserve them, for a client may announce much and send nothing.
  if (absl::Status status = Reserve(size_bytes); !status.ok()) return status;
  Release(size_bytes);
  std::string path = NewTemporary();
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
  return std::unique_ptr<DatasetUpload>(
      new DatasetUpload(this, std::move(path), std::move(fd), display_name, size_bytes));
}

absl::Status DatasetStore::Reserve(int64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const int64_t free = limits_.quota_bytes - stored_bytes_ - reserved_bytes_;
  if (bytes > free) {
    return LimitExceeded(
        "DATASET_QUOTA", "metadata.size_bytes",
        absl::StrCat("all data sets together may take ", limits_.quota_bytes, " bytes, of which ",
                     std::max<int64_t>(0, free), " are free; delete some that are not needed"),
        limits_.quota_bytes);
  }
  reserved_bytes_ += bytes;
  return absl::OkStatus();
}

void DatasetStore::Release(int64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  reserved_bytes_ -= bytes;
}

bool DatasetStore::IsIntact(const std::string& id) const {
  absl::StatusOr<DatasetContent> content = DatasetContent::Open(PathOf(id));
  if (!content.ok() || content->dataset().name() != DatasetName(id)) return false;
  while (true) {
    const absl::StatusOr<absl::string_view> block = content->Next();
    if (!block.ok()) return false;
    if (block->empty()) return true;
  }
}

absl::StatusOr<v1::Dataset> DatasetStore::Adopt(const std::string& temporary, v1::Dataset dataset) {
  const std::lock_guard<std::mutex> change(change_mutex_);
  const std::string id = DatasetId(dataset.sha256());
  bool known;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    known = entries_.count(id) > 0;
  }
  if (known && IsIntact(id)) {
    absl::StatusOr<v1::Dataset> same = ReadDatasetRecord(PathOf(id));
    if (same.ok() && same->sha256() != dataset.sha256()) {
      return absl::InternalError(
          "another data set has the same name, for its SHA-256 begins alike");
    }
    return same;
  }
  if (absl::Status status = RenameDurably(temporary, PathOf(id)); !status.ok()) return status;
  std::error_code ignored;
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(PathOf(id), ignored));
  const std::lock_guard<std::mutex> lock(mutex_);
  // What was damaged is mended, for those that hold a lease too.
  const int leases = known ? entries_[id].leases : 0;
  if (known) Erase(id);
  Insert(id, dataset, bytes);
  entries_[id].leases = leases;
  return dataset;
}

void DatasetStore::Insert(const std::string& id, v1::Dataset dataset, int64_t file_bytes) {
  Entry& entry = entries_[id];
  int64_t age = Age(dataset);
  while (by_age_.count(age) > 0) ++age;
  *dataset.mutable_create_time() = TimeUtil::NanosecondsToTimestamp(age);
  dataset.clear_columns();
  entry.summary = std::move(dataset);
  entry.stored_bytes = Counted(file_bytes);
  stored_bytes_ += entry.stored_bytes;
  by_age_[age] = id;
}

void DatasetStore::Erase(const std::string& id) {
  const Entry& entry = entries_[id];
  stored_bytes_ -= entry.stored_bytes;
  by_age_.erase(Age(entry.summary));
  entries_.erase(id);
}

absl::StatusOr<v1::Dataset> DatasetStore::Get(const std::string& id) const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (entries_.count(id) == 0) return NoDataset(id);
  }
  absl::StatusOr<v1::Dataset> dataset = ReadDatasetRecord(PathOf(id));
  return absl::IsNotFound(dataset.status()) ? NoDataset(id) : dataset;
}

std::vector<v1::Dataset> DatasetStore::List(int64_t before, int limit) const {
  std::vector<v1::Dataset> datasets;
  const std::lock_guard<std::mutex> lock(mutex_);
  auto it = before == 0 ? by_age_.end() : by_age_.lower_bound(before);
  while (it != by_age_.begin() && static_cast<int>(datasets.size()) < limit) {
    --it;
    datasets.push_back(entries_.at(it->second).summary);
  }
  return datasets;
}

int64_t DatasetStore::Age(const v1::Dataset& dataset) {
  return TimeUtil::TimestampToNanoseconds(dataset.create_time());
}

absl::StatusOr<DatasetContent> DatasetStore::Content(const std::string& id) const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (entries_.count(id) == 0) return NoDataset(id);
  }
  absl::StatusOr<DatasetContent> content = DatasetContent::Open(PathOf(id));
  if (absl::IsNotFound(content.status())) return NoDataset(id);
  return content;
}

absl::StatusOr<DatasetLease> DatasetStore::Lease(const std::string& id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.deleting) return NoDataset(id);
  ++found->second.leases;
  return DatasetLease(this, [id](const void* store) {
    auto* self = const_cast<DatasetStore*>(static_cast<const DatasetStore*>(store));
    const std::lock_guard<std::mutex> release(self->mutex_);
    --self->entries_.at(id).leases;
  });
}

absl::Status DatasetStore::Delete(const std::string& id,
                                  const std::function<absl::Status()>& check) {
  const std::lock_guard<std::mutex> change(change_mutex_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return NoDataset(id);
    if (found->second.leases > 0) {
      return absl::FailedPreconditionError(
          absl::StrCat(DatasetName(id), " is named by a fit that is being created"));
    }
    found->second.deleting = true;
  }
  absl::Status status = check();
  if (status.ok()) status = RemoveFileDurably(PathOf(id));
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.at(id).deleting = false;
  if (status.ok()) Erase(id);
  return status;
}

}  // namespace aisivi::server
