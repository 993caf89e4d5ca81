// One EstimateLogEvidence, told as it goes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "aisivi/v1/posterior_service.pb.h"
#include "engine/evidence/evidence.h"
#include "engine/parallel/thread_pool.h"
#include "server/services/fitted_models.h"

namespace aisivi::server {

// The request against the fit it names. INVALID_ARGUMENT at its fields.
absl::Status CheckEvidenceRequest(const v1::EstimateLogEvidenceRequest& request,
                                  const v1::Fit& fit);

// Thread safety: none, but Next() may be called by a different thread each time.
class EvidenceSource {
 public:
  // A request that passed the check, for `fit`. `models` and `pool` must outlive this.
  EvidenceSource(const v1::EstimateLogEvidenceRequest& request, const v1::Fit& fit,
                 FittedModels* models, ThreadPool* pool);

  // Draws for about a tenth of a second and tells how far it is; the last message carries the
  // estimate, the same as that of EstimateEvidence(); none after it.
  absl::StatusOr<std::optional<v1::EstimateLogEvidenceResponse>> Next(
      const std::atomic<bool>* cancel);

 private:
  absl::Status Load();
  absl::Status DrawSome(const std::atomic<bool>* cancel);

  const std::string name_;
  const uint64_t seed_;
  const int64_t draws_, inner_samples_;
  FittedModels* const models_;
  ThreadPool* const pool_;
  std::shared_ptr<const FittedModel> fitted_;
  DrawBatch drawn_;  // without z
  int64_t done_ = 0;
  bool ended_ = false;
};

}  // namespace aisivi::server
