#include "server/stan/old_syntax.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/stan/stan_text.h"

namespace aisivi::server {
namespace {

constexpr absl::string_view kTypes[] = {
    "int",         "real",           "vector",           "row_vector",
    "matrix",      "simplex",        "unit_vector",      "ordered",
    "corr_matrix", "cov_matrix",     "positive_ordered", "cholesky_factor_corr",
    "complex",     "complex_vector", "complex_matrix",   "cholesky_factor_cov"};

// What programs call or write that Stan 2.21 does not have (the Reference Manual's and the
// Functions Reference's "Available since" notes), and that is not rewritten.
constexpr absl::string_view kNewer[] = {"complex",
                                        "dirichlet_multinomial",
                                        "discrete_range",
                                        "fatal_error",
                                        "hmm_latent_rng",
                                        "hmm_marginal",
                                        "identity_matrix",
                                        "lambert_w0",
                                        "linspaced_array",
                                        "linspaced_int_array",
                                        "linspaced_vector",
                                        "linspaced_row_vector",
                                        "loglogistic",
                                        "multinomial_logit",
                                        "ode_adams",
                                        "ode_adams_tol",
                                        "ode_bdf",
                                        "ode_bdf_tol",
                                        "ode_ckrk",
                                        "ode_rk45",
                                        "ode_rk45_tol",
                                        "one_hot_vector",
                                        "ones_array",
                                        "ones_vector",
                                        "reduce_sum",
                                        "reduce_sum_static",
                                        "solve_newton",
                                        "solve_powell",
                                        "skew_double_exponential",
                                        "sum_to_zero_vector",
                                        "svd_U",
                                        "svd_V",
                                        "tuple",
                                        "zeros_array",
                                        "zeros_vector"};

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

// The end of `profile("name")` before a block, whose "profile" ends at `after`; none when it is not
// that.
std::optional<size_t> SkipProfile(absl::string_view text, size_t after) {
  const size_t open = SkipSpace(text, after);
  if (open >= text.size() || text[open] != '(') return std::nullopt;
  const std::optional<size_t> end = SkipBracketed(text, open, ')');
  if (!end.has_value()) return std::nullopt;
  const size_t block = SkipSpace(text, *end);
  return block < text.size() && text[block] == '{' ? end : std::nullopt;
}

// A name of a density without its constants, "normal_lupdf", as that of the one with them; else ""
std::string WithConstants(absl::string_view name) {
  for (const absl::string_view ending : {"_lupdf", "_lupmf"}) {
    if (!absl::EndsWith(name, ending)) continue;
    const absl::string_view stem = name.substr(0, name.size() - ending.size());
    return absl::StrCat(stem, "_l", ending.substr(3));
  }
  return "";
}

}  // namespace

std::string WithOldSyntax(absl::string_view program) {
  std::string old;
  old.reserve(program.size());
  const auto copy = [&](size_t begin, size_t end) {
    absl::StrAppend(&old, program.substr(begin, end - begin));
  };
  for (size_t at = 0; at < program.size();) {
    size_t next = SkipCommentOrString(program, at);
    if (next != at) {
      copy(at, next);
      at = next;
      continue;
    }
    next = SkipName(program, at);
    if (next == at) {
      if (absl::StartsWith(program.substr(at), "%/%")) {
        old += '/';
        at += 3;
        continue;
      }
      old += program[at++];
      // A name goes on after digits: 2array is none.
      if (IsNameCharacter(old.back())) {
        for (; at < program.size() && IsNameCharacter(program[at]); ++at) old += program[at];
      }
      continue;
    }
    const absl::string_view name = program.substr(at, next - at);
    std::optional<Declaration> declaration;
    std::optional<size_t> profile;
    if (name == "array") declaration = ReadDeclaration(program, next);
    if (name == "profile") profile = SkipProfile(program, next);
    if (declaration.has_value()) {
      // Spaces and comments between the parts stay, so that lines do.
      copy(next, declaration->brackets);
      copy(declaration->brackets_end, declaration->name_end);
      copy(declaration->brackets, declaration->brackets_end);
      next = declaration->name_end;
    } else if (profile.has_value()) {
      old.append(std::count(program.begin() + static_cast<int64_t>(at),
                            program.begin() + static_cast<int64_t>(*profile), '\n'),
                 '\n');
      next = *profile;
    } else if (const std::string density = WithConstants(name); !density.empty()) {
      old += density;
    } else {
      copy(at, next);
    }
    at = next;
  }
  return old;
}

std::string NewerNames(absl::string_view program) {
  std::vector<absl::string_view> newer;
  const auto add = [&](absl::string_view name) {
    if (std::find(newer.begin(), newer.end(), name) == newer.end()) newer.push_back(name);
  };
  for (size_t at = 0; at < program.size();) {
    size_t next = SkipCommentOrString(program, at);
    if (next == at) {
      next = SkipName(program, at);
      const absl::string_view name = program.substr(at, next - at);
      if (std::find(std::begin(kNewer), std::end(kNewer), name) != std::end(kNewer)) add(name);
      // Past a number's end, so that no name begins within a word.
      while (next < program.size() && IsNameCharacter(program[next])) ++next;
    }
    if (next == at) {
      if (absl::StartsWith(program.substr(at), ".^")) add(".^");
      ++next;
    }
    at = next;
  }
  return absl::StrJoin(newer, ", ");
}

}  // namespace aisivi::server
