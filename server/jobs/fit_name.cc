#include "server/jobs/fit_name.h"

#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr absl::string_view kCollection = "fits/";
constexpr absl::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";
constexpr int kLetters = 24;
constexpr int kIdLength = 12;
constexpr size_t kMaxIdLength = 63;

bool IsId(absl::string_view id) {
  if (id.empty() || id.size() > kMaxIdLength) return false;
  for (const char c : id) {
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c) && c != '-') return false;
  }
  return true;
}

}  // namespace

std::string FitName(absl::string_view id) { return absl::StrCat(kCollection, id); }

absl::StatusOr<std::string> ParseFitName(absl::string_view field, absl::string_view name) {
  absl::string_view id = name;
  if (!absl::ConsumePrefix(&id, kCollection) || !IsId(id)) {
    return FieldError(field, "must read fits/{id}, with an id of lower-case letters and digits");
  }
  return std::string(id);
}

std::string NewFitId() {
  std::random_device device;
  std::uniform_int_distribution<int> letter(0, kLetters - 1);
  std::uniform_int_distribution<int> any(0, static_cast<int>(kAlphabet.size()) - 1);
  std::string id(1, kAlphabet[letter(device)]);
  while (id.size() < kIdLength) id += kAlphabet[any(device)];
  return id;
}

}  // namespace aisivi::server
