// The chunks of one StreamCovariance.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "aisivi/v1/posterior_service.pb.h"
#include "engine/parallel/thread_pool.h"
#include "server/services/fitted_models.h"

namespace aisivi::server {

// The request against the fit it names. INVALID_ARGUMENT at its fields.
absl::Status CheckCovarianceRequest(const v1::StreamCovarianceRequest& request, const v1::Fit& fit);

// Thread safety: none, but Next() may be called by a different thread each time.
class CovarianceSource {
 public:
  // A request that passed the check, for `fit`. `models` and `pool` must outlive this.
  CovarianceSource(const v1::StreamCovarianceRequest& request, const v1::Fit& fit,
                   FittedModels* models, ThreadPool* pool);

  // The next rows; none after the last. Computes the whole matrix the first time.
  absl::StatusOr<std::optional<v1::MatrixRows>> Next(const std::atomic<bool>* cancel);

 private:
  absl::Status Compute(const std::atomic<bool>* cancel);

  const std::string name_;
  const uint64_t seed_;
  const v1::DrawScale scale_;
  const int64_t count_;
  FittedModels* const models_;
  ThreadPool* const pool_;
  Eigen::MatrixXd covariance_;  // P×P, symmetric
  int64_t sent_ = 0;
};

}  // namespace aisivi::server
