#include "server/store/dataset_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/store/durable_file.h"

namespace aisivi::server {
namespace {

constexpr absl::string_view kMagic = "aisivi-dataset 1\n";
constexpr int64_t kTrailer = 16 + static_cast<int64_t>(kMagic.size());
constexpr int64_t kMaxRecord = 64 << 20;  // many times what the largest header needs
constexpr size_t kBlock = 256 << 10;

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(path, " ", what));
}

// `size` bytes at `offset`. DATA_LOSS when the file ends before.
absl::StatusOr<std::string> ReadAt(int fd, int64_t offset, size_t size, const std::string& path) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(fd, bytes.data() + done, size - done, offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
    if (got == 0) return Damaged(path, "is shorter than it was");
    done += static_cast<size_t>(got);
  }
  return bytes;
}

absl::StatusOr<v1::Dataset> ReadRecord(int fd, const std::string& path) {
  struct stat info;
  if (fd < 0 || ::fstat(fd, &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  }
  const absl::Status damaged = Damaged(path, "is no data set of this version, or is cut");
  if (info.st_size < kTrailer) return damaged;
  absl::StatusOr<std::string> trailer = ReadAt(fd, info.st_size - kTrailer, kTrailer, path);
  if (!trailer.ok()) return trailer.status();
  if (!absl::EndsWith(*trailer, kMagic)) return damaged;
  const uint64_t length = FromBytes(absl::string_view(*trailer).substr(8));
  if (length > static_cast<uint64_t>(std::min<int64_t>(kMaxRecord, info.st_size - kTrailer))) {
    return damaged;
  }
  const int64_t begin = info.st_size - kTrailer - static_cast<int64_t>(length);
  absl::StatusOr<std::string> record = ReadAt(fd, begin, length, path);
  if (!record.ok()) return record.status();
  v1::Dataset dataset;
  if (Fingerprint(*record) != FromBytes(*trailer) || !dataset.ParseFromString(*record) ||
      dataset.size_bytes() != begin) {
    return damaged;
  }
  return dataset;
}

}  // namespace

absl::Status FinishDatasetFile(const v1::Dataset& dataset, int fd, const std::string& path) {
  const std::string record = dataset.SerializeAsString();
  const absl::Status status = WriteAll(
      fd, absl::StrCat(record, ToBytes(Fingerprint(record)), ToBytes(record.size()), kMagic), path);
  if (!status.ok()) return status;
  if (::fsync(fd) != 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot sync ", path));
  return absl::OkStatus();
}

absl::StatusOr<v1::Dataset> ReadDatasetRecord(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return ReadRecord(fd.get(), path);
}

absl::StatusOr<DatasetContent> DatasetContent::Open(const std::string& path) {
  DatasetContent content;
  content.fd_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  absl::StatusOr<v1::Dataset> dataset = ReadRecord(content.fd_.get(), path);
  if (!dataset.ok()) return dataset.status();
  content.dataset_ = *std::move(dataset);
  return content;
}

absl::StatusOr<absl::string_view> DatasetContent::Next() {
  const int64_t left = dataset_.size_bytes() - offset_;
  if (left > 0) {
    absl::StatusOr<std::string> block = ReadAt(
        fd_.get(), offset_, std::min<size_t>(kBlock, static_cast<size_t>(left)), dataset_.name());
    if (!block.ok()) return block.status();
    block_ = *std::move(block);
    hash_.Update(block_);
    offset_ += static_cast<int64_t>(block_.size());
    return absl::string_view(block_);
  }
  if (!verified_ && hash_.Finish() != dataset_.sha256()) {
    return Damaged(dataset_.name(), "is not what was uploaded: its SHA-256 is another");
  }
  verified_ = true;
  return absl::string_view();
}

}  // namespace aisivi::server
