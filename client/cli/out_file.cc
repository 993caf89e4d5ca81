#include "client/cli/out_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace aisivi::cli {

absl::Status WriteOutFile(const std::string& path,
                          const std::function<absl::Status(std::ostream& out)>& write) {
  const std::string partial = absl::StrCat(path, ".partial");
  errno = 0;
  std::ofstream file(partial, std::ios::trunc | std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(absl::StrCat("--out: ", path, ": ", std::strerror(errno)));
  }
  const absl::Status written = write(file);
  file.close();
  std::error_code error;
  if (written.ok() && !file.fail()) std::filesystem::rename(partial, path, error);
  if (!written.ok() || file.fail() || error) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
  }
  if (!written.ok()) return written;
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat("--out: ", path, ": ", error.message()));
  }
  return file.fail() ? absl::DataLossError(absl::StrCat("--out: ", path, ": cannot be written"))
                     : absl::OkStatus();
}

}  // namespace aisivi::cli
