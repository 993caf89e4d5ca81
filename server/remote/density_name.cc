#include "server/remote/density_name.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/status.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

constexpr absl::string_view kPrefix = "densities/";
constexpr size_t kBytes = 16;

}  // namespace

std::string NewDensityName() {
  std::array<char, kBytes> bytes;
  // At most 256 bytes come whole once the kernel has its entropy (getrandom(2)).
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  return absl::StrCat(kPrefix,
                      absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size())));
}

absl::Status CheckDensityName(absl::string_view field, absl::string_view name) {
  bool fits = absl::StartsWith(name, kPrefix) && name.size() == kPrefix.size() + 2 * kBytes;
  for (const char c : name.substr(fits ? kPrefix.size() : name.size())) {
    fits &= absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
  }
  if (fits) return absl::OkStatus();
  return FieldError(
      field, absl::StrCat("must be \"densities/\" and 32 hexadecimal digits, is ", Quoted(name)));
}

absl::Status DensityNotFound(absl::string_view field, absl::string_view name) {
  return ResourceNotFound(field, "aisivi.v1.Density", "DENSITY_NOT_FOUND", name,
                          absl::StrCat("nobody serves ", Quoted(name)));
}

}  // namespace aisivi::server
