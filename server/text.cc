#include "server/text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace aisivi::server {
namespace {

constexpr size_t kMaxQuoted = 100;

unsigned char Byte(absl::string_view text, size_t i) { return static_cast<unsigned char>(text[i]); }

// Bytes of the control character that begins at `i`; 0 when none does.
size_t ControlBytes(absl::string_view text, size_t i) {
  const unsigned char byte = Byte(text, i);
  if (byte < 0x20 || byte == 0x7f) return 1;
  const bool c1 = byte == 0xc2 && i + 1 < text.size() && Byte(text, i + 1) < 0xa0;
  return c1 ? 2 : 0;
}

}  // namespace

bool HasControlCharacters(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (ControlBytes(text, i) > 0) return true;
  }
  return false;
}

std::string Shortened(absl::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  size_t end = max_bytes;
  while (end > 0 && (Byte(text, end) & 0xc0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "…");
}

std::string Quoted(absl::string_view text) {
  const std::string shortened = Shortened(text, kMaxQuoted);
  std::string quoted = "\"";
  for (size_t i = 0; i < shortened.size();) {
    const size_t control = ControlBytes(shortened, i);
    if (control == 0) {
      quoted += shortened[i++];
      continue;
    }
    absl::StrAppendFormat(&quoted, "\\x%02x", Byte(shortened, i + control - 1));
    i += control;
  }
  return quoted + "\"";
}

}  // namespace aisivi::server
