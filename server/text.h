// Texts that clients send: what of them may be kept, and how errors repeat them.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace aisivi::server {

// Whether UTF-8 `text` holds a control character: U+0000 … U+001F, U+007F … U+009F. A terminal may
// take them for commands.
bool HasControlCharacters(absl::string_view text);

// `text` shortened to at most `max_bytes` of its own, on the boundary of a character, with "…"
// where something is left out.
std::string Shortened(absl::string_view text, size_t max_bytes);

// `text` in quotation marks for an error: at most 100 bytes of it, control characters as \xNN.
// Errors travel in HTTP/2 trailers, of which clients accept 8 KB in all.
std::string Quoted(absl::string_view text);

}  // namespace aisivi::server
