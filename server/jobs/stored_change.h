// Changes made to the file of a fit. RESOURCE_EXHAUSTED when memory is short; other errors are the
// store's.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "server/store/fit_store.h"

namespace aisivi::server {

// Takes over what clients may change at any time: display_name, labels, expire_time.
void TakeChangeable(const v1::Fit& from, v1::Fit* fit);
// update_time and etag.
void TakeIdentity(const v1::Fit& from, v1::Fit* fit);

// Those of `changed` to the file of a fit; the rest of it stays.
absl::Status StoreChangeable(FitStore* store, const std::string& id, const v1::Fit& changed);

// Replaces all but the target by `ended`, whose final event has the number `last_sequence`.
absl::Status StoreEnd(FitStore* store, const std::string& id, const v1::Fit& ended,
                      int64_t last_sequence);

// FitRecord.attempts.
absl::Status StoreAttempts(FitStore* store, const std::string& id, int attempts);

// What is kept of a fit that waits again, beside its checkpoint.
absl::Status StoreInterruption(FitStore* store, const std::string& id, int attempts,
                               int64_t last_sequence);

}  // namespace aisivi::server
