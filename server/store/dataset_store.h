// The data sets of the server: DIRECTORY/datasets/ID.dataset, one file each (dataset_file.h).
//
// A data set is there once its file has its name, and durable then. In memory is what a list shows
// of it; columns and bytes are read on demand.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "aisivi/v1/dataset.pb.h"
#include "server/store/dataset_file.h"

namespace aisivi::server {

class DatasetUpload;

struct DatasetLimits {
  int64_t max_bytes = int64_t{256} << 20;  // of one data set
  // Of all of them on disk, in whole blocks of 4 KiB a file, and of what is being uploaded.
  int64_t quota_bytes = int64_t{4} << 30;
};

// Keeps a data set from being deleted for as long as it lives.
using DatasetLease = std::shared_ptr<const void>;

// Thread safety: all methods may be called at once. Errors name data sets as the API does; who
// calls says which field of the request is to blame.
class DatasetStore {
 public:
  // Creates the directory when it is missing, removes what broken uploads left, and takes up what
  // is there. The caller holds the lock of DIRECTORY (FitStore).
  static absl::StatusOr<std::unique_ptr<DatasetStore>> Open(const std::string& directory,
                                                            const DatasetLimits& limits);

  const DatasetLimits& limits() const { return limits_; }

  // Begins an upload of `size_bytes` bytes. RESOURCE_EXHAUSTED when they are too many, reason
  // DATASET_TOO_LARGE, or do not fit beside the others, reason DATASET_QUOTA.
  absl::StatusOr<std::unique_ptr<DatasetUpload>> Begin(const std::string& display_name,
                                                       int64_t size_bytes);
  // With its columns. NOT_FOUND; DATA_LOSS when its file is damaged.
  absl::StatusOr<v1::Dataset> Get(const std::string& id) const;
  // Newest first: at most `limit` of those older than `before` (0: the newest), without columns; a
  // damaged one with its error. A data set's age is Age().
  std::vector<v1::Dataset> List(int64_t before, int limit) const;
  static int64_t Age(const v1::Dataset& dataset);
  // The errors of Get().
  absl::StatusOr<DatasetContent> Content(const std::string& id) const;
  // NOT_FOUND, also when it is being deleted. The store must outlive the lease.
  absl::StatusOr<DatasetLease> Lease(const std::string& id);
  // Deletes a data set unless it is leased (FAILED_PRECONDITION) or `check` returns an error, which
  // is returned. No lease is given while `check` runs.
  absl::Status Delete(const std::string& id, const std::function<absl::Status()>& check);

 private:
  friend class DatasetUpload;
  struct Entry {
    v1::Dataset summary;       // without columns
    int64_t stored_bytes = 0;  // as they count
    int leases = 0;
    bool deleting = false;
  };

  DatasetStore(std::string directory, const DatasetLimits& limits);
  void TakeUp();
  std::string PathOf(const std::string& id) const;
  std::string NewTemporary();
  // More bytes of an upload; they count until Release().
  absl::Status Reserve(int64_t bytes);
  void Release(int64_t bytes);
  // Gives the finished file `temporary` its name, unless the data set is there already. The data
  // set as it is then.
  absl::StatusOr<v1::Dataset> Adopt(const std::string& temporary, v1::Dataset dataset);
  bool IsIntact(const std::string& id) const;
  // Both with mutex_ held.
  void Insert(const std::string& id, v1::Dataset dataset, int64_t file_bytes);
  void Erase(const std::string& id);

  const std::string directory_;
  const DatasetLimits limits_;
  std::mutex change_mutex_;   // held over an Adopt() or Delete(); taken before mutex_
  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<std::string, Entry> entries_;  // by id
  std::map<int64_t, std::string> by_age_;           // ids
  int64_t stored_bytes_ = 0;
  int64_t reserved_bytes_ = 0;
  int64_t temporaries_ = 0;
};

}  // namespace aisivi::server
