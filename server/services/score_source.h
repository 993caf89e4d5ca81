// The chunks of one EvaluateScore, computed one after the other as the client reads them.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "aisivi/v1/posterior_service.pb.h"
#include "engine/parallel/thread_pool.h"
#include "server/services/fitted_models.h"

namespace aisivi::server {

// The request against the fit it names. INVALID_ARGUMENT at its fields.
absl::Status CheckScoreRequest(const v1::EvaluateScoreRequest& request, const v1::Fit& fit);

// Thread safety: none, but Next() may be called by a different thread each time.
class ScoreSource {
 public:
  // A request that passed CheckScoreRequest(). `models` and `pool` must outlive this.
  ScoreSource(v1::EvaluateScoreRequest request, FittedModels* models, ThreadPool* pool);

  // The next chunk, below what clients accept; none after the last. Loads the model the first time:
  // FAILED_PRECONDITION, reason ONLY_DRAWS, for a set of draws; INVALID_ARGUMENT for a matrix of
  // points that is none.
  absl::StatusOr<std::optional<v1::ScoreChunk>> Next(const std::atomic<bool>* cancel);

 private:
  absl::Status Load();

  v1::EvaluateScoreRequest request_;
  FittedModels* const models_;
  ThreadPool* const pool_;
  std::shared_ptr<const FittedModel> fitted_;
  Eigen::MatrixXd points_;  // D×N, once loaded
  int64_t sent_ = 0;        // points; whole blocks until the last
};

}  // namespace aisivi::server
