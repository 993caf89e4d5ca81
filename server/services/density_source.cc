#include "server/services/density_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/evidence/log_density.h"
#include "server/convert/target_spec.h"
#include "server/services/append.h"
#include "server/services/posterior_limits.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr int64_t kPointsPerCall = 256;  // part of the meaning of a seed
// Three numbers a point: well below the 4 MB that clients accept by default.
constexpr int64_t kPointsPerChunk = 128 * kPointsPerCall;
constexpr absl::Duration kBetweenMessages = absl::Milliseconds(100);

}  // namespace

absl::Status CheckDensityRequest(const v1::EvaluateLogDensityRequest& request, const v1::Fit& fit) {
  return CheckPoints(request.points(), request.inner_samples(), fit);
}

DensitySource::DensitySource(const v1::EvaluateLogDensityRequest* request, FittedModels* models,
                             ThreadPool* pool)
    : request_(request), models_(models), pool_(pool) {}

absl::Status DensitySource::Load() {
  absl::StatusOr<Eigen::MatrixXd> points = ToMatrix(request_->points(), "points");
  if (!points.ok()) return points.status();
  points_ = points->transpose();
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(request_->name());
  if (!fitted.ok()) return fitted.status();
  fitted_ = *std::move(fitted);
  inner_samples_ = InnerSamples(request_->inner_samples(), fitted_->fit);
  return CheckHasDensity(*fitted_, "to evaluate at a point");
}

absl::StatusOr<std::optional<v1::LogDensityChunk>> DensitySource::Next(
    const std::atomic<bool>* cancel) {
  std::optional<v1::LogDensityChunk> chunk;
  if (fitted_ == nullptr) {
    if (absl::Status status = Load(); !status.ok()) return status;
  }
  if (sent_ == points_.cols()) return chunk;
  chunk.emplace().set_first(sent_);
  const int64_t end = std::min<int64_t>(sent_ + kPointsPerChunk, points_.cols());
  const absl::Time until = absl::Now() + kBetweenMessages;
  do {
    const int64_t count = std::min(kPointsPerCall, end - sent_);
    absl::StatusOr<LogDensityEstimate> estimate = aisivi::EvaluateLogDensity(
        *fitted_->model, points_.middleCols(sent_, count),
        request_->seed() + static_cast<uint64_t>(sent_), inner_samples_, *pool_, cancel);
    if (!estimate.ok()) return estimate.status();
    Append(estimate->log_q, chunk->mutable_log_q());
    Append(estimate->lower, chunk->mutable_lower());
    Append(estimate->upper, chunk->mutable_upper());
    sent_ += count;
  } while (sent_ < end && absl::Now() < until);
  return chunk;
}

}  // namespace aisivi::server
