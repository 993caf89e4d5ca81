#include "engine/methods/methods.h"

#include "absl/strings/str_cat.h"

namespace aisivi {

const std::vector<MethodEntry>& MethodRegistry() {
  static const auto* const kMethods = new std::vector<MethodEntry>{
      {"aisivi", "importance sampling from a learned conditional flow (arXiv 2506.03839)",
       ProposalPass, /*needs_proposal=*/true, /*own_epsilon=*/false},
      {"bsivi", "inner samples from the prior of ε, shared by all points (arXiv 2506.03839)",
       PriorPass, /*needs_proposal=*/false, /*own_epsilon=*/true},
      {"gaussian", "the best single Gaussian of the warm start, with no training",
       /*estimate=*/nullptr, /*needs_proposal=*/false, /*own_epsilon=*/false},
  };
  return *kMethods;
}

absl::StatusOr<const MethodEntry*> FindMethod(std::string_view name) {
  std::string names;
  for (const MethodEntry& method : MethodRegistry()) {
    if (method.name == name) return &method;
    absl::StrAppend(&names, names.empty() ? "" : ", ", method.name);
  }
  return absl::NotFoundError(
      absl::StrCat("method: \"", std::string(name), "\" is not one of ", names));
}

}  // namespace aisivi
