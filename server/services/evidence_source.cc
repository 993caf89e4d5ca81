#include "server/services/evidence_source.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/convert/progress.h"
#include "server/convert/verdict.h"
#include "server/services/posterior_limits.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

// Draws made in one piece: a multiple of those that share inner samples, so that the pieces'
// groups are those of the whole.
constexpr int64_t kPiece = 256;
constexpr absl::Duration kBetweenMessages = absl::Milliseconds(100);

int64_t DrawsOf(const v1::EstimateLogEvidenceRequest& request, const v1::Fit& fit) {
  if (request.draws() != 0) return request.draws();
  const int64_t own = fit.effective_settings().evidence_settings().evidence_draws();
  // A fit of an earlier version does not tell.
  return own != 0 ? own : FitOptions().evidence_draws;
}

int64_t InnerSamplesOf(const v1::EstimateLogEvidenceRequest& request, const v1::Fit& fit) {
  const int64_t used = fit.evidence().inner_samples();
  return request.inner_samples() == 0 && used > 0 ? used
                                                  : InnerSamples(request.inner_samples(), fit);
}

}  // namespace

absl::Status CheckEvidenceRequest(const v1::EstimateLogEvidenceRequest& request,
                                  const v1::Fit& fit) {
  const int64_t draws = DrawsOf(request, fit), inner_samples = InnerSamplesOf(request, fit);
  for (absl::Status status :
       {CheckRange("draws", draws, 2, kMaxDraws),
        CheckRange("inner_samples", request.inner_samples(), 0, kMaxInnerSamples),
        CheckNumbers("draws", draws, fit.dimension())}) {
    if (!status.ok()) return status;
  }
  return CheckDensityWork("draws", draws, inner_samples, fit.dimension());
}

EvidenceSource::EvidenceSource(const v1::EstimateLogEvidenceRequest& request, const v1::Fit& fit,
                               FittedModels* models, ThreadPool* pool)
    : name_(request.name()),
      seed_(request.seed()),
      draws_(DrawsOf(request, fit)),
      inner_samples_(InnerSamplesOf(request, fit)),
      models_(models),
      pool_(pool) {}

absl::Status EvidenceSource::Load() {
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(name_);
  if (!fitted.ok()) return fitted.status();
  fitted_ = *std::move(fitted);
  for (Eigen::VectorXd* term : {&drawn_.log_p, &drawn_.log_q, &drawn_.log_q_upper}) {
    term->resize(draws_);
  }
  return CheckHasDensity(*fitted_, "to estimate the evidence from");
}

absl::Status EvidenceSource::DrawSome(const std::atomic<bool>* cancel) {
  const std::shared_ptr<const Target> target = TargetFor(fitted_, cancel);
  const absl::Time until = absl::Now() + kBetweenMessages;
  do {
    const int64_t count = std::min(kPiece, draws_ - done_);
    absl::StatusOr<DrawBatch> piece =
        Draw(*fitted_->model, target.get(), seed_, done_, count, inner_samples_, *pool_, cancel);
    if (!piece.ok()) return OfTarget(*fitted_, piece.status());
    if (done_ == 0) drawn_.groups = piece->groups;
    drawn_.log_p.segment(done_, count) = piece->log_p;
    drawn_.log_q.segment(done_, count) = piece->log_q;
    drawn_.log_q_upper.segment(done_, count) = piece->log_q_upper;
    done_ += count;
  } while (done_ < draws_ && absl::Now() < until);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::EstimateLogEvidenceResponse>> EvidenceSource::Next(
    const std::atomic<bool>* cancel) {
  std::optional<v1::EstimateLogEvidenceResponse> response;
  if (ended_) return response;
  if (fitted_ == nullptr) {
    if (absl::Status status = Load(); !status.ok()) return status;
  }
  if (absl::Status status = DrawSome(cancel); !status.ok()) return status;
  response.emplace().set_done(done_);
  response->set_draws(draws_);
  if (done_ < draws_) return response;
  ended_ = true;
  const EvidenceEstimate estimate = EvidenceFromDraws(drawn_, inner_samples_);
  *response->mutable_evidence() = ToMessage(estimate);
  *response->mutable_evidence()->mutable_verdict() = JudgeFitBy(estimate, fitted_->fit);
  return response;
}

}  // namespace aisivi::server
