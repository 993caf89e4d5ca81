#include "engine/data/column_name.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace aisivi {
namespace {

constexpr uint32_t kBad = 0xffffffff;

// The code point that begins at *i, which moves behind it; kBad where there is none.
uint32_t NextCodePoint(absl::string_view text, size_t* i) {
  const auto byte = [&text](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte((*i)++);
  if (first < 0x80) return first;
  const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0xc2 || first > 0xf4) return kBad;
  uint32_t code = first & (0x3f >> more);
  for (int n = 0; n < more; ++n, ++*i) {
    if (*i >= text.size() || (byte(*i) & 0xc0) != 0x80) return kBad;
    code = code << 6 | (byte(*i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < kSmallest[more] || code > 0x10ffff || surrogate ? kBad : code;
}

bool HasControls(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const uint32_t code = NextCodePoint(text, &i);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    if (NextCodePoint(text, &i) == kBad) return false;
  }
  return true;
}

absl::StatusOr<std::string> CleanColumnName(absl::string_view text) {
  std::string name(text);
  absl::RemoveExtraAsciiWhitespace(&name);
  for (char& c : name) {
    if (absl::ascii_isspace(c)) c = ' ';
  }
  if (name.empty()) return absl::InvalidArgumentError("the column has no name");
  if (name.size() > kMaxColumnName) {
    return absl::InvalidArgumentError(
        absl::StrCat("the name has more than ", kMaxColumnName, " bytes"));
  }
  if (!IsUtf8(name)) return absl::InvalidArgumentError("the name is not UTF-8");
  if (HasControls(name)) return absl::InvalidArgumentError("the name has control characters");
  return name;
}

}  // namespace aisivi
