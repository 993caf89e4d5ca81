#include "server/stan/program_check.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/stan/stan_text.h"

namespace aisivi::server {
namespace {

absl::Status ErrorAt(absl::string_view program, size_t at, absl::string_view what) {
  const auto line = std::count(program.begin(), program.begin() + static_cast<int64_t>(at), '\n');
  return absl::InvalidArgumentError(absl::StrCat("line ", line + 1, ": ", what));
}

// Whether a line's first text, at `at`, is an #include. Wherever it stands, for compilers disagree
// about comments.
bool IsInclude(absl::string_view program, size_t at) {
  if (program[at] != '#') return false;
  ++at;
  while (at < program.size() && (program[at] == ' ' || program[at] == '\t')) ++at;
  return absl::StartsWith(program.substr(at), "include");
}

}  // namespace

absl::Status CheckProgram(absl::string_view program) {
  if (absl::StripAsciiWhitespace(program).empty()) {
    return absl::InvalidArgumentError("is required: the text of a Stan program");
  }
  if (static_cast<int64_t>(program.size()) > kMaxProgramBytes) {
    return absl::InvalidArgumentError(absl::StrCat("has ", program.size(), " bytes; at most ",
                                                   kMaxProgramBytes, " are compiled"));
  }
  bool line_begins = true;
  for (size_t at = 0; at < program.size(); ++at) {
    const char c = program[at];
    if (absl::ascii_iscntrl(c) && !absl::ascii_isspace(c)) {
      return ErrorAt(program, at, "has a control character");
    }
    if (line_begins && IsInclude(program, at)) {
      return ErrorAt(program, at, "#include: files are not read; put their text here");
    }
    line_begins = c == '\n' || (line_begins && absl::ascii_isspace(c));
  }
  int depth = 0;
  for (size_t at = 0; at < program.size(); ++at) {
    const size_t next = SkipCommentOrString(program, at);
    if (next != at) {
      at = next - 1;
      continue;
    }
    const char c = program[at];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (depth > kMaxNesting) {
      return ErrorAt(program, at, absl::StrCat("more than ", kMaxNesting, " brackets are open"));
    }
  }
  return absl::OkStatus();
}

}  // namespace aisivi::server
