// What a fit leaves behind: the semi-implicit posterior q(z) and its proposal τ(ε|z), in the
// coordinates of the target, ready to be sampled and evaluated, or a set of draws (draw_set.h); and
// as bytes.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace aisivi {

struct ModelState;  // engine/model/model_state.h: the parts, for the engine itself

// Immutable; thread-safe; cheap to share by pointer.
class Model {
 public:
  explicit Model(std::unique_ptr<const ModelState> state);
  ~Model();

  int dim() const;         // D
  int latent_dim() const;  // E; 0 for a set of draws
  // Whether log q can be estimated at any point; of a set of draws it is known at these only.
  bool has_density() const;
  const ModelState& state() const { return *state_; }

  // A self-contained, versioned byte string; Parse(Serialize()) draws bit for bit the same.
  std::string Serialize() const;
  // INVALID_ARGUMENT for bytes that are not a model; DATA_LOSS when the checksum does not match.
  static absl::StatusOr<std::shared_ptr<const Model>> Parse(std::string_view bytes);

 private:
  std::unique_ptr<const ModelState> state_;
};

}  // namespace aisivi
