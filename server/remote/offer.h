// What a process offers when it begins to serve a density.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "aisivi/v1/density_service.pb.h"
#include "server/remote/remote_density.h"

namespace aisivi::server {

struct Offer {
  RemoteDensity density;  // its name is empty where a new one is offered
  absl::Duration deadline;
  bool check = true;  // scores against finite differences
};

// INVALID_ARGUMENT at "offer.FIELD".
absl::StatusOr<Offer> ReadOffer(const v1::DensityOffer& message);

}  // namespace aisivi::server
