// The list of fitting methods.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/methods/estimator.h"

namespace aisivi {

struct MethodEntry {
  std::string name;
  std::string doc;
  // Estimates log q̂ and s_q for a batch; null: the method needs no inner samples.
  void (*estimate)(const InnerRequest&, ThreadPool&, Workspace&, InnerEstimate*);
  bool needs_proposal;  // cannot run without flow steps
  bool own_epsilon;     // the generating ε are among the inner samples
};

// All methods. Lives for the whole process.
const std::vector<MethodEntry>& MethodRegistry();

// NOT_FOUND "method: …" (the message lists the names) when there is none.
absl::StatusOr<const MethodEntry*> FindMethod(std::string_view name);

}  // namespace aisivi
