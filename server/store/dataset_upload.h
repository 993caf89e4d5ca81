// A data set on its way into the store: checked, hashed and written as it comes.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/dataset.pb.h"
#include "engine/data/csv_table.h"
#include "server/store/dataset_store.h"
#include "server/store/descriptor.h"
#include "server/store/sha256.h"

namespace aisivi::server {

// Not thread-safe. Memory: a row of the table, whatever its size. What is not committed leaves
// nothing behind.
class DatasetUpload {
 public:
  ~DatasetUpload();
  DatasetUpload(const DatasetUpload&) = delete;
  DatasetUpload& operator=(const DatasetUpload&) = delete;

  int64_t received_bytes() const { return received_; }
  // Some more bytes, cut anywhere. INVALID_ARGUMENT, with line and column, when they are no table
  // of numbers; at `chunk.data` when they are more than were announced; RESOURCE_EXHAUSTED when
  // they do not fit beside other data sets any more.
  absl::Status Write(absl::string_view bytes);
  // The end: keeps the data set for good, or finds it there. INVALID_ARGUMENT when bytes are
  // missing or it is no table. Call once, last.
  absl::StatusOr<v1::Dataset> Commit();

 private:
  friend class DatasetStore;
  DatasetUpload(DatasetStore* store, std::string path, Descriptor fd, std::string display_name,
                int64_t size_bytes);
  v1::Dataset Describe();

  DatasetStore* const store_;
  const std::string path_;
  const Descriptor fd_;
  const std::string display_name_;
  const int64_t size_bytes_;
  CsvTableReader table_;
  Sha256 hash_;
  int64_t received_ = 0;
  int64_t reserved_ = 0;
};

}  // namespace aisivi::server
