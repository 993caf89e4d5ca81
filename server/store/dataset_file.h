// A data set on disk: the bytes that were uploaded, then what is known of them:
//
//   a serialised v1::Dataset, its Fingerprint() and its length as eight bytes each, and the line
//   "aisivi-dataset 1".
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/dataset.pb.h"
#include "server/store/descriptor.h"
#include "server/store/sha256.h"

namespace aisivi::server {

// Ends a file that holds the bytes, and syncs it.
absl::Status FinishDatasetFile(const v1::Dataset& dataset, int fd, const std::string& path);

// NOT_FOUND when there is no such file; DATA_LOSS when it is cut or its record is damaged.
absl::StatusOr<v1::Dataset> ReadDatasetRecord(const std::string& path);

// The bytes of a file, block by block. The file may be removed meanwhile. Not thread-safe.
class DatasetContent {
 public:
  // The errors of ReadDatasetRecord().
  static absl::StatusOr<DatasetContent> Open(const std::string& path);

  // With its columns.
  const v1::Dataset& dataset() const { return dataset_; }
  // The next bytes, 256 KiB at most, valid until the next call; none at the end. DATA_LOSS, at the
  // end at the latest, when they are not those that dataset().sha256() names.
  absl::StatusOr<absl::string_view> Next();

 private:
  DatasetContent() = default;

  Descriptor fd_;
  v1::Dataset dataset_;
  Sha256 hash_;
  int64_t offset_ = 0;
  bool verified_ = false;
  std::string block_;
};

}  // namespace aisivi::server
