// The chunks of one EvaluateLogDensity, computed one after the other as the client reads them.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "aisivi/v1/posterior_service.pb.h"
#include "engine/parallel/thread_pool.h"
#include "server/services/fitted_models.h"

namespace aisivi::server {

// The request against the fit it names. INVALID_ARGUMENT at its fields.
absl::Status CheckDensityRequest(const v1::EvaluateLogDensityRequest& request, const v1::Fit& fit);

// Thread safety: none, but Next() may be called by a different thread each time.
class DensitySource {
 public:
  // A request that passed the check; it, `models` and `pool` must outlive this.
  DensitySource(const v1::EvaluateLogDensityRequest* request, FittedModels* models,
                ThreadPool* pool);

  // The next points' densities; none after the last. Loads the model the first time.
  absl::StatusOr<std::optional<v1::LogDensityChunk>> Next(const std::atomic<bool>* cancel);

 private:
  absl::Status Load();

  const v1::EvaluateLogDensityRequest* const request_;
  FittedModels* const models_;
  ThreadPool* const pool_;
  std::shared_ptr<const FittedModel> fitted_;
  Eigen::MatrixXd points_;  // D×N
  int64_t inner_samples_ = 0;
  int64_t sent_ = 0;
};

}  // namespace aisivi::server
