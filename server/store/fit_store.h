// Fits on disk: DIRECTORY/fits/ID.fit, one file each, ID.checkpoint beside that of a fit that has
// not ended, and DIRECTORY/lock.
//
// A file is the line "aisivi-fit 1", the Fingerprint() of what follows as 8 little-endian bytes,
// and a serialised FitRecord. A checkpoint is the bytes that it was given as, which know by
// themselves whether they are damaged (engine/fit/checkpoint.h). Files are replaced atomically and
// are durable when a call returns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/store/record.pb.h"

namespace aisivi::server {

// Thread safety: all methods may be called at once, for different ids; calls for one id must not
// overlap unless all are reads. The record and the checkpoint of an id may be written at once.
class FitStore {
 public:
  // Creates the directory when it is missing, takes its lock, and removes what broken writes left
  // and checkpoints without a fit. FAILED_PRECONDITION when another server holds the lock.
  static absl::StatusOr<std::unique_ptr<FitStore>> Open(const std::string& directory);
  ~FitStore();
  FitStore(const FitStore&) = delete;
  FitStore& operator=(const FitStore&) = delete;

  absl::Status Write(const std::string& id, const FitRecord& record);
  // NOT_FOUND when there is none; DATA_LOSS when the file is damaged.
  absl::StatusOr<FitRecord> Read(const std::string& id) const;
  // When the file was written last; the epoch when there is none.
  absl::Time WriteTime(const std::string& id) const;
  // With its checkpoint.
  absl::Status Remove(const std::string& id);
  // In place of the one before, which is there still after an error.
  absl::Status WriteCheckpoint(const std::string& id, absl::string_view checkpoint);
  // NOT_FOUND when there is none.
  absl::StatusOr<std::string> ReadCheckpoint(const std::string& id) const;
  // OK when there is none.
  absl::Status RemoveCheckpoint(const std::string& id);
  // Ids of all files, in no order.
  std::vector<std::string> Ids() const;

  const std::string& directory() const { return directory_; }

 private:
  FitStore(std::string directory, int lock) : directory_(std::move(directory)), lock_(lock) {}
  std::string PathOf(const std::string& id) const;
  std::string CheckpointPathOf(const std::string& id) const;

  const std::string directory_;
  const int lock_;
};

}  // namespace aisivi::server
