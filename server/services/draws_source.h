// The chunks of one StreamDraws, computed one after the other as the client reads them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "aisivi/v1/posterior_service.pb.h"
#include "engine/evidence/resample.h"
#include "engine/parallel/thread_pool.h"
#include "server/services/fitted_models.h"

namespace aisivi::server {

// The request against the fit it names. INVALID_ARGUMENT at its fields.
absl::Status CheckDrawsRequest(const v1::StreamDrawsRequest& request, const v1::Fit& fit);

// Thread safety: none, but Next() may be called by a different thread each time.
class DrawsSource {
 public:
  // A request that passed CheckDrawsRequest(). `models` and `pool` must outlive this.
  DrawsSource(v1::StreamDrawsRequest request, FittedModels* models, ThreadPool* pool);

  // The next chunk, below what clients accept; none after the last. Loads the model the first time.
  absl::StatusOr<std::optional<v1::DrawsChunk>> Next(const std::atomic<bool>* cancel);

 private:
  absl::StatusOr<v1::DrawsChunk> Chunk(int64_t count, const std::atomic<bool>* cancel);
  absl::StatusOr<v1::DrawsChunk> ResampledChunk(int64_t count);
  absl::Status Choose(const std::atomic<bool>* cancel);

  const v1::StreamDrawsRequest request_;
  FittedModels* const models_;
  ThreadPool* const pool_;
  std::shared_ptr<const FittedModel> fitted_;
  std::unique_ptr<const ResampledDraws> resampled_;  // null unless asked for
  int64_t sent_ = 0;
};

}  // namespace aisivi::server
