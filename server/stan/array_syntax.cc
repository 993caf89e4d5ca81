#include "server/stan/array_syntax.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "absl/strings/str_cat.h"
#include "server/stan/stan_text.h"

namespace aisivi::server {
namespace {

constexpr absl::string_view kTypes[] = {
    "int",         "real",           "vector",           "row_vector",
    "matrix",      "simplex",        "unit_vector",      "ordered",
    "corr_matrix", "cov_matrix",     "positive_ordered", "cholesky_factor_corr",
    "complex",     "complex_vector", "complex_matrix",   "cholesky_factor_cov"};

// The end of what stands between text[at], an opening bracket, and its `close`; none when it is not
// closed. A '>' closes only outside of brackets.
std::optional<size_t> SkipBracketed(absl::string_view text, size_t at, char close) {
  int depth = 0;
  for (++at; at < text.size(); ++at) {
    const size_t next = SkipCommentOrString(text, at);
    if (next != at) {
      at = next - 1;
    } else if (depth == 0 && text[at] == close) {
      return at + 1;
    } else if (text[at] == '(' || text[at] == '[' || text[at] == '{') {
      ++depth;
    } else if (text[at] == ')' || text[at] == ']' || text[at] == '}') {
      if (--depth < 0) return std::nullopt;
    }
  }
  return std::nullopt;
}

// Whether the brackets hold no sizes: "[]", "[,]".
bool HasNoSizes(absl::string_view brackets) {
  for (size_t at = SkipSpace(brackets, 1); at + 1 < brackets.size();) {
    if (brackets[at] != ',') return false;
    at = SkipSpace(brackets, at + 1);
  }
  return true;
}

// A declaration that begins at an "array": its parts in `text`.
struct Declaration {
  size_t brackets, brackets_end;  // of the array's sizes
  size_t type, type_end;          // "vector<lower=0>[K]"
  size_t name_end;                // of sized ones: the declared name's; else type_end
};

std::optional<Declaration> ReadDeclaration(absl::string_view text, size_t after_array) {
  Declaration d{};
  const auto is = [&](size_t at, char c) { return at < text.size() && text[at] == c; };
  d.brackets = SkipSpace(text, after_array);
  if (!is(d.brackets, '[')) return std::nullopt;
  std::optional<size_t> end = SkipBracketed(text, d.brackets, ']');
  if (!end.has_value()) return std::nullopt;
  d.brackets_end = *end;
  d.type = SkipSpace(text, d.brackets_end);
  d.type_end = SkipName(text, d.type);
  const absl::string_view type = text.substr(d.type, d.type_end - d.type);
  if (std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes)) {
    return std::nullopt;
  }
  for (const auto& [open, close] : {std::pair('<', '>'), std::pair('[', ']')}) {
    const size_t at = SkipSpace(text, d.type_end);
    if (!is(at, open)) continue;
    end = SkipBracketed(text, at, close);
    if (!end.has_value()) return std::nullopt;
    d.type_end = *end;
  }
  d.name_end = d.type_end;
  if (HasNoSizes(text.substr(d.brackets, d.brackets_end - d.brackets))) return d;
  const size_t name = SkipSpace(text, d.type_end);
  d.name_end = SkipName(text, name);
  return d.name_end == name ? std::nullopt : std::optional(d);
}

}  // namespace

std::string WithOldArrays(absl::string_view program) {
  std::string old;
  old.reserve(program.size());
  const auto copy = [&](size_t begin, size_t end) {
    absl::StrAppend(&old, program.substr(begin, end - begin));
  };
  for (size_t at = 0; at < program.size();) {
    size_t next = SkipCommentOrString(program, at);
    if (next == at) next = SkipName(program, at);
    if (next == at) {
      old += program[at++];
      // A name goes on after digits: 2array is none.
      if (IsNameCharacter(old.back())) {
        for (; at < program.size() && IsNameCharacter(program[at]); ++at) old += program[at];
      }
      continue;
    }
    std::optional<Declaration> declaration;
    if (program.substr(at, next - at) == "array") declaration = ReadDeclaration(program, next);
    if (declaration.has_value()) {
      // Spaces and comments between the parts stay, so that lines do.
      copy(next, declaration->brackets);
      copy(declaration->brackets_end, declaration->name_end);
      copy(declaration->brackets, declaration->brackets_end);
      next = declaration->name_end;
    } else {
      copy(at, next);
    }
    at = next;
  }
  return old;
}

}  // namespace aisivi::server
