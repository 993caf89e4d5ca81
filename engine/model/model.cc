#include "engine/model/model.h"

#include <utility>

#include "engine/model/model_bytes.h"
#include "engine/model/model_state.h"

namespace aisivi {

Model::Model(std::unique_ptr<const ModelState> state) : state_(std::move(state)) {}
Model::~Model() = default;

int Model::dim() const { return static_cast<int>(state_->dim()); }
int Model::latent_dim() const {
  if (state_->IsDrawSet()) return 0;
  return static_cast<int>(state_->components.front().family.latent_dim());
}
bool Model::has_density() const { return !state_->IsDrawSet(); }

std::string Model::Serialize() const { return SerializeModelState(*state_); }

absl::StatusOr<std::shared_ptr<const Model>> Model::Parse(std::string_view bytes) {
  absl::StatusOr<std::unique_ptr<ModelState>> state = ParseModelState(bytes);
  if (!state.ok()) return state.status();
  return std::make_shared<const Model>(*std::move(state));
}

}  // namespace aisivi
