#include "server/services/posterior_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/evidence/evidence.h"
#include "engine/evidence/summary.h"
#include "server/services/covariance_source.h"
#include "server/services/density_source.h"
#include "server/services/draw_scale.h"
#include "server/services/draws_source.h"
#include "server/services/evidence_source.h"
#include "server/services/heavy_reactor.h"
#include "server/services/posterior_limits.h"
#include "server/services/request_size.h"
#include "server/services/score_source.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr int kMaxProbabilities = 100;

absl::StatusOr<std::vector<double>> Probabilities(const v1::SummarizePosteriorRequest& request) {
  if (request.probabilities().empty()) {
    return std::vector<double>{0.025, 0.25, 0.5, 0.75, 0.975};
  }
  if (request.probabilities_size() > kMaxProbabilities) {
    return FieldError("probabilities", absl::StrCat("has more than ", kMaxProbabilities));
  }
  for (const double probability : request.probabilities()) {
    if (!(probability >= 0 && probability <= 1)) {
      return FieldError("probabilities", absl::StrCat(probability, " is not in [0, 1]"));
    }
  }
  return std::vector<double>(request.probabilities().begin(), request.probabilities().end());
}

v1::PosteriorSummary ToMessage(const PosteriorSummary& summary,
                               const std::vector<std::string>& names,
                               const std::vector<double>& probabilities) {
  v1::PosteriorSummary message;
  for (int d = 0; d < summary.mean.size(); ++d) {
    v1::CoordinateSummary* coordinate = message.add_coordinates();
    coordinate->set_name(names[d]);
    coordinate->set_mean(summary.mean[d]);
    coordinate->set_sd(summary.sd[d]);
    for (int q = 0; q < summary.quantiles.cols(); ++q) {
      coordinate->add_quantiles(summary.quantiles(d, q));
    }
  }
  message.mutable_probabilities()->Add(probabilities.begin(), probabilities.end());
  return message;
}

absl::Status CheckSummary(const v1::SummarizePosteriorRequest& request, const v1::Fit& fit) {
  for (absl::Status status : {Probabilities(request).status(), CheckScale(request.scale())}) {
    if (!status.ok()) return status;
  }
  return CheckSummarizedDraws(request.count(), HeldSize(fit, request.scale()));
}

// The fit of a request that passes `check`.
template <typename Request>
absl::StatusOr<v1::Fit> Checked(FittedModels* models, const Request& request,
                                absl::Status (*check)(const Request&, const v1::Fit&)) {
  absl::StatusOr<v1::Fit> fit = models->Usable(request.name());
  if (!fit.ok()) return fit.status();
  if (absl::Status status = check(request, *fit); !status.ok()) return status;
  return fit;
}

}  // namespace

absl::StatusOr<v1::PosteriorSummary> PosteriorServiceImpl::Summary(
    const v1::SummarizePosteriorRequest& request, const v1::Fit& fit,
    const std::atomic<bool>* cancel) {
  absl::StatusOr<std::vector<double>> probabilities = Probabilities(request);
  if (!probabilities.ok()) return probabilities.status();
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(request.name());
  if (!fitted.ok()) return fitted.status();
  const int64_t count = SummarizedDraws(request.count(), HeldSize(fit, request.scale()));
  absl::StatusOr<DrawBatch> batch =
      Draw(*(*fitted)->model, nullptr, request.seed(), 0, count, 0, *pool_, cancel);
  if (!batch.ok()) return batch.status();
  const absl::Status scaled = ToScale(**fitted, request.scale(), request.seed(), 0, &batch->z);
  if (!scaled.ok()) return scaled;
  absl::StatusOr<PosteriorSummary> summary =
      Summarize(batch->z, *probabilities, /*covariance=*/false);
  if (!summary.ok()) return summary.status();
  v1::PosteriorSummary message =
      ToMessage(*summary, DrawNames(**fitted, request.scale()), *probabilities);
  message.set_count(count);
  return message;
}

grpc::ServerWriteReactor<v1::DrawsChunk>* PosteriorServiceImpl::StreamDraws(
    grpc::CallbackServerContext* context, const v1::StreamDrawsRequest* request) {
  const absl::StatusOr<v1::Fit> fit = Checked(models_, *request, CheckDrawsRequest);
  if (!fit.ok()) return RefuseStream<v1::DrawsChunk>(fit.status());
  const auto source = std::make_shared<DrawsSource>(*request, models_, pool_);
  return StartHeavyStream<v1::DrawsChunk>(
      work_, [source](const std::atomic<bool>* cancel) { return source->Next(cancel); });
}

grpc::ServerUnaryReactor* PosteriorServiceImpl::SummarizePosterior(
    grpc::CallbackServerContext* context, const v1::SummarizePosteriorRequest* request,
    v1::PosteriorSummary* response) {
  absl::StatusOr<v1::Fit> fit = Checked(models_, *request, CheckSummary);
  if (!fit.ok()) return Refuse(context, fit.status());
  return StartHeavy(work_, response,
                    [this, request, fit = *std::move(fit)](const std::atomic<bool>* cancel) {
                      return Summary(*request, fit, cancel);
                    });
}

grpc::ServerWriteReactor<v1::MatrixRows>* PosteriorServiceImpl::StreamCovariance(
    grpc::CallbackServerContext* context, const v1::StreamCovarianceRequest* request) {
  const absl::StatusOr<v1::Fit> fit = Checked(models_, *request, CheckCovarianceRequest);
  if (!fit.ok()) return RefuseStream<v1::MatrixRows>(fit.status());
  const auto source = std::make_shared<CovarianceSource>(*request, *fit, models_, pool_);
  return StartHeavyStream<v1::MatrixRows>(
      work_, [source](const std::atomic<bool>* cancel) { return source->Next(cancel); });
}

grpc::ServerWriteReactor<v1::EstimateLogEvidenceResponse>*
PosteriorServiceImpl::EstimateLogEvidence(grpc::CallbackServerContext* context,
                                          const v1::EstimateLogEvidenceRequest* request) {
  const absl::StatusOr<v1::Fit> fit = Checked(models_, *request, CheckEvidenceRequest);
  if (!fit.ok()) return RefuseStream<v1::EstimateLogEvidenceResponse>(fit.status());
  const auto source = std::make_shared<EvidenceSource>(*request, *fit, models_, pool_);
  return StartHeavyStream<v1::EstimateLogEvidenceResponse>(
      work_, [source](const std::atomic<bool>* cancel) { return source->Next(cancel); });
}

grpc::ServerWriteReactor<v1::LogDensityChunk>* PosteriorServiceImpl::EvaluateLogDensity(
    grpc::CallbackServerContext* context, const v1::EvaluateLogDensityRequest* request) {
  if (absl::Status status = CheckRequestSize(*request, max_request_bytes_); !status.ok()) {
    return RefuseStream<v1::LogDensityChunk>(status);
  }
  const absl::StatusOr<v1::Fit> fit = Checked(models_, *request, CheckDensityRequest);
  if (!fit.ok()) return RefuseStream<v1::LogDensityChunk>(fit.status());
  const auto source = std::make_shared<DensitySource>(request, models_, pool_);
  return StartHeavyStream<v1::LogDensityChunk>(
      work_, [source](const std::atomic<bool>* cancel) { return source->Next(cancel); });
}

grpc::ServerWriteReactor<v1::ScoreChunk>* PosteriorServiceImpl::EvaluateScore(
    grpc::CallbackServerContext* context, const v1::EvaluateScoreRequest* request) {
  if (absl::Status status = CheckRequestSize(*request, max_request_bytes_); !status.ok()) {
    return RefuseStream<v1::ScoreChunk>(status);
  }
  const absl::StatusOr<v1::Fit> fit = Checked(models_, *request, CheckScoreRequest);
  if (!fit.ok()) return RefuseStream<v1::ScoreChunk>(fit.status());
  const auto source = std::make_shared<ScoreSource>(*request, models_, pool_);
  return StartHeavyStream<v1::ScoreChunk>(
      work_, [source](const std::atomic<bool>* cancel) { return source->Next(cancel); });
}

}  // namespace aisivi::server
