#include "server/services/posterior_service.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/evidence/evidence.h"
#include "engine/evidence/log_density.h"
#include "engine/evidence/summary.h"
#include "server/convert/progress.h"
#include "server/convert/target_spec.h"
#include "server/convert/verdict.h"
#include "server/services/draws_source.h"
#include "server/services/heavy_reactor.h"
#include "server/services/posterior_limits.h"
#include "server/services/request_size.h"
#include "server/services/score_source.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr int64_t kMaxSummaryDraws = 1'000'000;
constexpr int64_t kDefaultSummarized = 20'000;
constexpr int kMaxProbabilities = 100;
constexpr int kMaxCovarianceDim = 2000;
constexpr int64_t kPointsPerCall = 256;

void Append(const Eigen::VectorXd& values, google::protobuf::RepeatedField<double>* field) {
  field->Add(values.data(), values.data() + values.size());
}

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

v1::PosteriorSummary ToMessage(const PosteriorSummary& summary, const v1::Fit& fit,
                               const std::vector<double>& probabilities) {
  v1::PosteriorSummary message;
  for (int d = 0; d < summary.mean.size(); ++d) {
    v1::CoordinateSummary* coordinate = message.add_coordinates();
    coordinate->set_name(fit.coordinate_names(d));
    coordinate->set_mean(summary.mean[d]);
    coordinate->set_sd(summary.sd[d]);
    for (int q = 0; q < summary.quantiles.cols(); ++q) {
      coordinate->add_quantiles(summary.quantiles(d, q));
    }
  }
  message.mutable_probabilities()->Add(probabilities.begin(), probabilities.end());
  if (summary.covariance.size() > 0) {
    *message.mutable_covariance() = ToMatrixMessage(summary.covariance);
  }
  return message;
}

int64_t SummarizedDraws(const v1::SummarizePosteriorRequest& request, int dim) {
  return request.count() != 0 ? request.count() : std::min(kDefaultSummarized, kMaxNumbers / dim);
}

absl::Status CheckSummary(const v1::SummarizePosteriorRequest& request, const v1::Fit& fit) {
  const int dim = fit.dimension();
  const int64_t count = SummarizedDraws(request, dim);
  for (absl::Status status :
       {Probabilities(request).status(), CheckRange("count", count, 2, kMaxSummaryDraws),
        CheckNumbers("count", count, dim)}) {
    if (!status.ok()) return status;
  }
  if (!request.covariance() || dim <= kMaxCovarianceDim) return absl::OkStatus();
  return FieldError("covariance",
                    absl::StrCat("at most ", kMaxCovarianceDim, " coordinates; the fit has ", dim));
}

struct EvidenceSizes {
  int64_t draws, inner_samples;
};

EvidenceSizes SizesOf(const v1::EstimateLogEvidenceRequest& request, const v1::Fit& fit) {
  const int64_t used = fit.evidence().inner_samples();
  return {
      request.draws() != 0 ? request.draws() : fit.effective_hyperparameters().evidence_draws(),
      request.inner_samples() == 0 && used > 0 ? used : InnerSamples(request.inner_samples(), fit)};
}

absl::Status CheckEvidence(const v1::EstimateLogEvidenceRequest& request, const v1::Fit& fit) {
  const auto [draws, inner_samples] = SizesOf(request, fit);
  for (absl::Status status : {CheckRange("draws", draws, 2, kMaxDraws),
                              CheckRange("inner_samples", inner_samples, 1, kMaxInnerSamples),
                              CheckNumbers("draws", draws, fit.dimension())}) {
    if (!status.ok()) return status;
  }
  return CheckDensityWork("draws", draws, inner_samples, fit.dimension());
}

absl::Status CheckDensities(const v1::EvaluateLogDensityRequest& request, const v1::Fit& fit) {
  const v1::Matrix& points = request.points();
  if (points.rows() >= 1 && points.columns() != fit.dimension()) {
    return FieldError("points", absl::StrCat("has ", points.columns(), " columns; the fit has ",
                                             fit.dimension(), " coordinates"));
  }
  const int64_t inner_samples = InnerSamples(request.inner_samples(), fit);
  for (absl::Status status : {CheckRange("points", points.rows(), 1, kMaxPoints),
                              CheckRange("inner_samples", inner_samples, 1, kMaxInnerSamples)}) {
    if (!status.ok()) return status;
  }
  return CheckDensityWork("points", points.rows(), inner_samples, fit.dimension());
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
  const int64_t count = SummarizedDraws(request, fit.dimension());
  absl::StatusOr<DrawBatch> batch =
      Draw(*(*fitted)->model, nullptr, request.seed(), 0, count, 0, *pool_, cancel);
  if (!batch.ok()) return batch.status();
  absl::StatusOr<PosteriorSummary> summary =
      Summarize(batch->z, *probabilities, request.covariance());
  if (!summary.ok()) return summary.status();
  v1::PosteriorSummary message = ToMessage(*summary, fit, *probabilities);
  message.set_count(count);
  return message;
}

absl::StatusOr<v1::LogEvidence> PosteriorServiceImpl::Evidence(
    const v1::EstimateLogEvidenceRequest& request, const v1::Fit& fit,
    const std::atomic<bool>* cancel) {
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(request.name());
  if (!fitted.ok()) return fitted.status();
  if (absl::Status s = CheckHasDensity(**fitted, "to estimate the evidence from"); !s.ok()) {
    return s;
  }
  const auto [draws, inner_samples] = SizesOf(request, fit);
  absl::StatusOr<EvidenceEstimate> estimate = EstimateEvidence(
      *(*fitted)->model, *(*fitted)->target, request.seed(), draws, inner_samples, *pool_, cancel);
  if (!estimate.ok()) return estimate.status();
  v1::LogEvidence message = server::ToMessage(*estimate);
  *message.mutable_verdict() = JudgeFitBy(*estimate, fit);
  return message;
}

absl::StatusOr<v1::EvaluateLogDensityResponse> PosteriorServiceImpl::LogDensity(
    const v1::EvaluateLogDensityRequest& request, const v1::Fit& fit,
    const std::atomic<bool>* cancel) {
  absl::StatusOr<Eigen::MatrixXd> points = ToMatrix(request.points(), "points");
  if (!points.ok()) return points.status();
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(request.name());
  if (!fitted.ok()) return fitted.status();
  if (absl::Status s = CheckHasDensity(**fitted, "to evaluate at a point"); !s.ok()) return s;
  const int64_t inner_samples = InnerSamples(request.inner_samples(), fit);
  const Eigen::MatrixXd z = points->transpose();
  v1::EvaluateLogDensityResponse response;
  for (int64_t first = 0; first < z.cols(); first += kPointsPerCall) {
    const int64_t count = std::min<int64_t>(kPointsPerCall, z.cols() - first);
    absl::StatusOr<LogDensityEstimate> estimate = aisivi::EvaluateLogDensity(
        *(*fitted)->model, z.middleCols(first, count),
        request.seed() + static_cast<uint64_t>(first), inner_samples, *pool_, cancel);
    if (!estimate.ok()) return estimate.status();
    Append(estimate->log_q, response.mutable_log_q());
    Append(estimate->lower, response.mutable_lower());
    Append(estimate->upper, response.mutable_upper());
  }
  return response;
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

grpc::ServerUnaryReactor* PosteriorServiceImpl::EstimateLogEvidence(
    grpc::CallbackServerContext* context, const v1::EstimateLogEvidenceRequest* request,
    v1::LogEvidence* response) {
  absl::StatusOr<v1::Fit> fit = Checked(models_, *request, CheckEvidence);
  if (!fit.ok()) return Refuse(context, fit.status());
  return StartHeavy(work_, response,
                    [this, request, fit = *std::move(fit)](const std::atomic<bool>* cancel) {
                      return Evidence(*request, fit, cancel);
                    });
}

grpc::ServerUnaryReactor* PosteriorServiceImpl::EvaluateLogDensity(
    grpc::CallbackServerContext* context, const v1::EvaluateLogDensityRequest* request,
    v1::EvaluateLogDensityResponse* response) {
  if (absl::Status status = CheckRequestSize(*request, max_request_bytes_); !status.ok()) {
    return Refuse(context, status);
  }
  absl::StatusOr<v1::Fit> fit = Checked(models_, *request, CheckDensities);
  if (!fit.ok()) return Refuse(context, fit.status());
  return StartHeavy(work_, response,
                    [this, request, fit = *std::move(fit)](const std::atomic<bool>* cancel) {
                      return LogDensity(*request, fit, cancel);
                    });
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
