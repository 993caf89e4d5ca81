// Reading a Stan program as text: what is code and what is not.
#pragma once

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace aisivi::server {

inline bool IsNameCharacter(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// The end of the comment or string that begins at `at`; `at` when none does. What is not closed
// goes on to the end.
inline size_t SkipCommentOrString(absl::string_view text, size_t at) {
  const absl::string_view rest = text.substr(at);
  const auto after = [&](absl::string_view closing, size_t from) {
    const size_t end = text.find(closing, from);
    return end == absl::string_view::npos ? text.size() : end + closing.size();
  };
  if (absl::StartsWith(rest, "/*")) return after("*/", at + 2);
  if (absl::StartsWith(rest, "//") || absl::StartsWith(rest, "#")) {
    const size_t end = text.find('\n', at);
    return end == absl::string_view::npos ? text.size() : end;
  }
  if (absl::StartsWith(rest, "\"")) return after("\"", at + 1);
  return at;
}

// Past spaces, line ends and comments.
inline size_t SkipSpace(absl::string_view text, size_t at) {
  while (at < text.size()) {
    const size_t next = text[at] == '"' ? at : SkipCommentOrString(text, at);
    if (next != at) {
      at = next;
    } else if (absl::ascii_isspace(text[at])) {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

// The end of the name that begins at `at`; `at` when none does.
inline size_t SkipName(absl::string_view text, size_t at) {
  if (at >= text.size() || !absl::ascii_isalpha(text[at])) return at;
  while (at < text.size() && IsNameCharacter(text[at])) ++at;
  return at;
}

}  // namespace aisivi::server
