#include "server/stan/program_cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/descriptor.h"
#include "server/store/durable_file.h"
#include "server/store/sha256.h"

namespace aisivi::server {
namespace {

namespace fs = std::filesystem;
using std::chrono_literals::operator""ms;

constexpr auto kPoll = 50ms;

bool IsCancelled(const std::atomic<bool>* cancel) { return cancel != nullptr && cancel->load(); }

std::string Key(absl::string_view content) {
  Sha256 sha;
  sha.Update(content);
  return sha.Finish();
}

// Marks a program as just used. False when it is not there.
bool Touch(const std::string& path) { return utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0; }

// A directory of its own for each compile; removed in the end.
class WorkDirectory {
 public:
  explicit WorkDirectory(const std::string& parent) : path_(absl::StrCat(parent, "/work-XXXXXX")) {
    ok_ = mkdtemp(path_.data()) != nullptr;
  }
  ~WorkDirectory() {
    std::error_code error;
    if (ok_) fs::remove_all(path_, error);
  }
  bool ok() const { return ok_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool ok_;
};

absl::Status Sync(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() >= 0 && fsync(file.get()) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(path, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::string> ProgramCache::Get(absl::string_view content, const Compile& compile,
                                              const std::atomic<bool>* cancel) {
  const std::string path = absl::StrCat(directory_, "/", Key(content));
  while (true) {
    if (Touch(path)) return path;
    std::shared_ptr<Flight> flight;
    bool mine = false;
    {
      std::unique_lock lock(mutex_);
      std::shared_ptr<Flight>& there = flights_[path];
      mine = there == nullptr;
      if (mine) there = std::make_shared<Flight>();
      flight = there;
      while (!mine && !flight->ended) {
        if (IsCancelled(cancel)) return absl::CancelledError("cancelled");
        changed_.wait_for(lock, kPoll);
      }
    }
    if (!mine) {
      // Who compiled it has left: somebody else must.
      if (absl::IsCancelled(flight->status)) continue;
      if (!flight->status.ok()) return flight->status;
      return path;
    }
    const absl::Status status = Make(path, compile, cancel);
    {
      const std::lock_guard lock(mutex_);
      flight->status = status;
      flight->ended = true;
      flights_.erase(path);
    }
    changed_.notify_all();
    if (!status.ok()) return status;
    return path;
  }
}

absl::Status ProgramCache::Make(const std::string& path, const Compile& compile,
                                const std::atomic<bool>* cancel) {
  if (absl::Status status = AwaitTurn(cancel); !status.ok()) return status;
  absl::Status status = CreateDirectories(directory_);
  if (status.ok()) {
    const WorkDirectory work(directory_);
    status = work.ok()
                 ? compile(work.path(), cancel)
                 : absl::InternalError(absl::StrCat("cannot make a directory in ", directory_));
    const std::string model = absl::StrCat(work.path(), "/model");
    if (status.ok()) status = Sync(model);
    if (status.ok()) status = RenameDurably(model, path);
  }
  {
    const std::lock_guard lock(mutex_);
    --compiles_;
  }
  changed_.notify_all();
  if (status.ok()) RemoveOldest();
  return status;
}

absl::Status ProgramCache::AwaitTurn(const std::atomic<bool>* cancel) {
  std::unique_lock lock(mutex_);
  while (compiles_ >= max_compiles_) {
    if (IsCancelled(cancel)) return absl::CancelledError("cancelled");
    changed_.wait_for(lock, kPoll);
  }
  ++compiles_;
  return absl::OkStatus();
}

void ProgramCache::RemoveOldest() const {
  std::vector<std::pair<fs::file_time_type, fs::path>> programs;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    if (entry.is_regular_file(error)) {
      programs.emplace_back(entry.last_write_time(error), entry.path());
    }
  }
  std::sort(programs.begin(), programs.end());
  for (size_t i = 0; i + static_cast<size_t>(max_programs_) < programs.size(); ++i) {
    fs::remove(programs[i].second, error);
  }
}

}  // namespace aisivi::server
