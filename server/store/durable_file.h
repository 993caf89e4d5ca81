// Files that are either wholly there or not at all, whatever happens to the machine.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace aisivi::server {

// FNV-1a, 64 bits.
uint64_t Fingerprint(absl::string_view bytes);

// Eight bytes, little-endian, and back.
std::string ToBytes(uint64_t value);
uint64_t FromBytes(absl::string_view bytes);

// All of `content` to an open file, which errors call `path`.
absl::Status WriteAll(int fd, absl::string_view content, const std::string& path);

// Moves a file whose content is synced over `path`, in the same directory, and makes that durable.
absl::Status RenameDurably(const std::string& from, const std::string& path);

// Removes what interrupted writes left in a directory: files *.tmp.
void RemoveTemporaries(const std::string& directory);

// Writes `path` by way of a temporary file beside it: write, fsync, rename, fsync of the directory.
// When it returns OK the content survives a crash; when it fails the old content is untouched.
absl::Status WriteFileDurably(const std::string& path, absl::string_view content);

// NOT_FOUND when there is no such file.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Removes a file and makes that durable. OK when it is not there.
absl::Status RemoveFileDurably(const std::string& path);

// Creates a directory and its parents.
absl::Status CreateDirectories(const std::string& path);

}  // namespace aisivi::server
