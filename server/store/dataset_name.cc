#include "server/store/dataset_name.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/status.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

constexpr absl::string_view kCollection = "datasets/";
constexpr size_t kDigits = 32;

}  // namespace

std::string DatasetId(absl::string_view sha256) { return std::string(sha256.substr(0, kDigits)); }

std::string DatasetName(absl::string_view id) { return absl::StrCat(kCollection, id); }

bool IsDatasetId(absl::string_view id) {
  if (id.size() != kDigits) return false;
  for (const char c : id) {
    if (!absl::ascii_isdigit(c) && !(c >= 'a' && c <= 'f')) return false;
  }
  return true;
}

absl::StatusOr<std::string> ParseDatasetName(absl::string_view name, absl::string_view field) {
  absl::string_view id = name;
  if (absl::ConsumePrefix(&id, kCollection) && IsDatasetId(id)) return std::string(id);
  return FieldError(field, absl::StrCat("must read datasets/{id}, with an id of ", kDigits,
                                        " hexadecimal digits; is ", Quoted(name)));
}

}  // namespace aisivi::server
