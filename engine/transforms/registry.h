// The list of transforms. A new one is a file pair in this folder, a ConstraintKind and a line in
// registry.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/transforms/parameter.h"
#include "engine/transforms/transform.h"

namespace aisivi {

struct TransformEntry {
  ConstraintKind kind;
  std::string name;     // Stan's
  std::string version;  // which of the transforms that have gone by that name, where there are more
  int indices;          // that it takes together, the last ones of a shape; 0: element by element
  // Whether a block of `indices` sizes, each at least 1, can be so constrained; "…" of an error
  // says what it should be.
  absl::Status (*check_block)(const std::vector<int64_t>& block);
  // `block`: `indices` sizes, or the number of elements where that is 0.
  std::unique_ptr<const Transform> (*make)(const Constraint& constraint,
                                           const std::vector<int64_t>& block);
};

// All of them. Thread-safe; lives for the whole process.
const std::vector<TransformEntry>& TransformRegistry();

// Null where there is no such kind.
const TransformEntry* FindTransform(ConstraintKind kind);

}  // namespace aisivi
