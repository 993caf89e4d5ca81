// Running gnuplot, without a shell.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace aisivi::cli {

// A new directory of its own, removed with everything in it at the end.
class TemporaryDirectory {
 public:
  static absl::StatusOr<TemporaryDirectory> Create();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// Runs the script; files of its own go to `directory`. NOT_FOUND when there is no gnuplot; INTERNAL
// with gnuplot's last words when it fails.
absl::Status RunGnuplot(const std::string& script, const std::filesystem::path& directory);

}  // namespace aisivi::cli
