// The list of fitting methods.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/methods/marginal.h"
#include "engine/methods/objective.h"

namespace aisivi {

struct MethodEntry {
  std::string name;
  std::string doc;
  // What a step of training learns; null: the method does not train.
  std::unique_ptr<Objective> (*objective)(const ObjectiveOptions&) = nullptr;
  // Of the score methods: estimates log q̂ and s_q for a batch. Null: not one of them.
  EstimateFunction estimate = nullptr;
  bool needs_proposal = false;    // cannot run without flow steps
  bool uses_own_epsilon = false;  // the generating ε are among the inner samples
  bool one_component = false;     // cannot train a mixture
  bool keeps_inner = false;       // all inner samples of a step are in memory at once
  bool inner_of_each = false;     // each point has inner samples of its own among these
  bool compares_pairs = false;    // all pairs of the points of a step are
  bool particles = false;         // the mixing measure is one of particles (family.h): no proposal
  bool samples = false;  // the result is a set of draws of the target (explore/reference.h)
};

// All methods. Lives for the whole process.
const std::vector<MethodEntry>& MethodRegistry();

// NOT_FOUND "method: …" (the message lists the names) when there is none.
absl::StatusOr<const MethodEntry*> FindMethod(std::string_view name);

}  // namespace aisivi
