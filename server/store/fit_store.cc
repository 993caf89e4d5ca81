#include "server/store/fit_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/store/durable_file.h"

namespace aisivi::server {
namespace {

constexpr absl::string_view kHeader = "aisivi-fit 1\n";
constexpr absl::string_view kSuffix = ".fit";
constexpr absl::string_view kCheckpointSuffix = ".checkpoint";

// A fit's file goes after its checkpoint, but what a backup brings back may be one without the
// other.
void RemoveOrphanedCheckpoints(const std::string& fits) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(fits, error)) {
    if (entry.path().extension() != std::string(kCheckpointSuffix)) continue;
    std::filesystem::path fit = entry.path();
    fit.replace_extension(std::string(kSuffix));
    std::error_code unknown;
    const bool orphaned = !std::filesystem::exists(fit, unknown) && !unknown;
    if (orphaned) std::filesystem::remove(entry.path(), unknown);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<FitStore>> FitStore::Open(const std::string& directory) {
  const std::string fits = absl::StrCat(directory, "/fits");
  if (absl::Status status = CreateDirectories(fits); !status.ok()) return status;
  const std::string lock_path = absl::StrCat(directory, "/lock");
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", lock_path));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return absl::FailedPreconditionError(absl::StrCat(directory, " is in use by another server"));
  }
  RemoveTemporaries(fits);
  RemoveOrphanedCheckpoints(fits);
  return std::unique_ptr<FitStore>(new FitStore(directory, lock));
}

FitStore::~FitStore() { ::close(lock_); }

std::string FitStore::PathOf(const std::string& id) const {
  return absl::StrCat(directory_, "/fits/", id, kSuffix);
}

absl::Status FitStore::Write(const std::string& id, const FitRecord& record) {
  std::string payload;
  if (!record.SerializeToString(&payload)) {
    return absl::ResourceExhaustedError("the fit is too large to be stored");
  }
  return WriteFileDurably(PathOf(id),
                          absl::StrCat(kHeader, ToBytes(Fingerprint(payload)), payload));
}

absl::StatusOr<FitRecord> FitStore::Read(const std::string& id) const {
  absl::StatusOr<std::string> content = ReadFile(PathOf(id));
  if (!content.ok()) return content.status();
  absl::string_view rest = *content;
  const size_t prefix = kHeader.size() + 8;
  if (!absl::StartsWith(rest, kHeader) || rest.size() < prefix) {
    return absl::DataLossError(absl::StrCat(PathOf(id), " is not a fit of this version"));
  }
  const absl::string_view stored = rest.substr(kHeader.size(), 8);
  rest.remove_prefix(prefix);
  FitRecord record;
  if (stored != ToBytes(Fingerprint(rest)) ||
      !record.ParseFromArray(rest.data(), static_cast<int>(rest.size()))) {
    return absl::DataLossError(absl::StrCat(PathOf(id), " is damaged"));
  }
  return record;
}

absl::Time FitStore::WriteTime(const std::string& id) const {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(PathOf(id), error);
  if (error) return absl::UnixEpoch();
  return absl::FromChrono(std::chrono::file_clock::to_sys(written));
}

absl::Status FitStore::Remove(const std::string& id) {
  if (absl::Status status = RemoveCheckpoint(id); !status.ok()) return status;
  return RemoveFileDurably(PathOf(id));
}

std::string FitStore::CheckpointPathOf(const std::string& id) const {
  return absl::StrCat(directory_, "/fits/", id, kCheckpointSuffix);
}

absl::Status FitStore::WriteCheckpoint(const std::string& id, absl::string_view checkpoint) {
  return WriteFileDurably(CheckpointPathOf(id), checkpoint);
}

absl::StatusOr<std::string> FitStore::ReadCheckpoint(const std::string& id) const {
  return ReadFile(CheckpointPathOf(id));
}

absl::Status FitStore::RemoveCheckpoint(const std::string& id) {
  return RemoveFileDurably(CheckpointPathOf(id));
}

std::vector<std::string> FitStore::Ids() const {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat(directory_, "/fits"), error)) {
    if (entry.path().extension() == std::string(kSuffix)) ids.push_back(entry.path().stem());
  }
  return ids;
}

}  // namespace aisivi::server
