#include "server/services/score_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/evidence/score.h"
#include "server/convert/target_spec.h"
#include "server/services/append.h"
#include "server/services/posterior_limits.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

absl::Status CheckSource(v1::InnerSampleSource source) {
  if (v1::InnerSampleSource_IsValid(source)) return absl::OkStatus();
  return FieldError("source", absl::StrCat(static_cast<int>(source), " is not one"));
}

v1::ScoreChunk ToChunk(const ScoreEstimate& estimate, int64_t first) {
  v1::ScoreChunk chunk;
  chunk.set_first(first);
  chunk.set_count(static_cast<int>(estimate.score.cols()));
  chunk.set_dimension(static_cast<int>(estimate.score.rows()));
  Append(estimate.score, chunk.mutable_score());
  Append(estimate.log_q, chunk.mutable_log_q());
  Append(estimate.ess, chunk.mutable_ess());
  return chunk;
}

}  // namespace

absl::Status CheckScoreRequest(const v1::EvaluateScoreRequest& request, const v1::Fit& fit) {
  if (absl::Status status = CheckSource(request.source()); !status.ok()) return status;
  return CheckPoints(request.points(), request.inner_samples(), fit);
}

ScoreSource::ScoreSource(v1::EvaluateScoreRequest request, FittedModels* models, ThreadPool* pool)
    : request_(std::move(request)), models_(models), pool_(pool) {}

absl::Status ScoreSource::Load() {
  const absl::StatusOr<Eigen::MatrixXd> points = ToMatrix(request_.points(), "points");
  if (!points.ok()) return points.status();
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(request_.name());
  if (!fitted.ok()) return fitted.status();
  if (absl::Status status = CheckHasDensity(**fitted, "to differentiate"); !status.ok()) {
    return status;
  }
  points_ = points->transpose();
  request_.clear_points();
  fitted_ = *std::move(fitted);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::ScoreChunk>> ScoreSource::Next(const std::atomic<bool>* cancel) {
  if (fitted_ == nullptr) {
    if (absl::Status status = Load(); !status.ok()) return status;
  }
  std::optional<v1::ScoreChunk> chunk;
  const int64_t block = ScoreBlock(points_.rows());
  const int64_t count = std::min<int64_t>(block, points_.cols() - sent_);
  if (count == 0) return chunk;
  const absl::StatusOr<ScoreEstimate> estimate = aisivi::EvaluateScore(
      *fitted_->model, points_.middleCols(sent_, count),
      {.seed = request_.seed(),
       .inner_samples = InnerSamples(request_.inner_samples(), fitted_->fit),
       .source = request_.source() == v1::INNER_SAMPLE_SOURCE_PRIOR ? InnerSampleSource::kPrior
                                                                    : InnerSampleSource::kProposal,
       .first_block = sent_ / block},
      *pool_, cancel);
  if (!estimate.ok()) return estimate.status();
  chunk = ToChunk(*estimate, sent_);
  sent_ += count;
  return chunk;
}

}  // namespace aisivi::server
