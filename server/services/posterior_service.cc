#include "server/services/posterior_service.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/evidence/evidence.h"
#include "engine/evidence/log_density.h"
#include "engine/evidence/resample.h"
#include "engine/evidence/summary.h"
#include "server/convert/progress.h"
#include "server/convert/target_spec.h"
#include "server/convert/verdict.h"
#include "server/services/reply.h"
#include "server/services/request_size.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

// At once; each may hold kMaxNumbers doubles.
constexpr int kMaxHeavyWork = 4;
constexpr int64_t kMaxNumbers = int64_t{1} << 25;
constexpr int64_t kMaxDraws = 10'000'000;
constexpr int64_t kMaxSummaryDraws = 1'000'000;
constexpr int64_t kMaxInnerSamples = 1'000'000;
constexpr int64_t kDefaultStreamed = 1000;
constexpr int64_t kDefaultSummarized = 20'000;
constexpr int kMaxProbabilities = 100;
constexpr int kMaxCovarianceDim = 2000;
// Well below the 4 MB that clients accept by default.
constexpr int64_t kChunkBytes = 1 << 20;
// So that a chunk with densities takes a moment, not a minute.
constexpr int64_t kChunkInnerSamples = 1 << 20;
constexpr int64_t kPointsPerCall = 256;

absl::Status CheckRange(const char* field, int64_t value, int64_t min, int64_t max) {
  if (value >= min && value <= max) return absl::OkStatus();
  return FieldError(field, absl::StrCat(value, " is not in [", min, ", ", max, "]"));
}

absl::Status CheckNumbers(const char* field, int64_t count, int dim) {
  if (count * dim <= kMaxNumbers) return absl::OkStatus();
  return FieldError(
      field, absl::StrCat(count, " draws of ", dim, " coordinates are too many at once: at most ",
                          kMaxNumbers / dim));
}

int64_t InnerSamples(int64_t requested, const v1::Fit& fit) {
  return requested != 0 ? requested : fit.effective_hyperparameters().evidence_inner_samples();
}

int64_t StreamedCount(const v1::StreamDrawsRequest& request) {
  return request.count() == 0 ? kDefaultStreamed : request.count();
}

int64_t DrawsPerChunk(int dim, int64_t inner_samples) {
  const int64_t by_size = kChunkBytes / static_cast<int64_t>(sizeof(double) * (dim + 3));
  const int64_t by_work = kChunkInnerSamples / std::max<int64_t>(1, inner_samples);
  return std::max<int64_t>(1, std::min(by_size, by_work));
}

void Append(const Eigen::VectorXd& values, google::protobuf::RepeatedField<double>* field) {
  field->Add(values.data(), values.data() + values.size());
}

absl::Status CheckResampling(const v1::StreamDrawsRequest& request, int dim) {
  if (!request.resample()) {
    return request.force() ? FieldError("force", "needs resample") : absl::OkStatus();
  }
  if (request.first() != 0) {
    return FieldError("first", "must be 0 with resample: resampled draws are chosen together");
  }
  const int64_t most = kMaxNumbers / dim / 4;
  if (StreamedCount(request) <= most) return absl::OkStatus();
  return FieldError("count", absl::StrCat("at most ", most, " draws of ", dim,
                                          " coordinates can be resampled at once"));
}

absl::Status HeavyTail(const ResampledDraws& draws) {
  return NotAllowed(
      "HEAVY_TAIL", "resample",
      absl::StrFormat("the importance weights cannot be trusted (Pareto k %.2f, ESS %.0f of %d "
                      "draws), nor could draws resampled by them; force resamples all the same",
                      draws.pareto_k, draws.ess, draws.pool));
}

v1::DrawsChunk ToChunk(const ResampledDraws& draws, int64_t first, int64_t count, bool densities) {
  v1::DrawsChunk chunk;
  chunk.set_first(first);
  chunk.set_count(static_cast<int>(count));
  chunk.set_dimension(static_cast<int>(draws.z.rows()));
  const double* values = draws.z.col(first).data();
  chunk.mutable_values()->Add(values, values + count * draws.z.rows());
  if (densities) {
    Append(draws.log_p.segment(first, count), chunk.mutable_log_p());
    Append(draws.log_q.segment(first, count), chunk.mutable_log_q());
  }
  return chunk;
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

}  // namespace

PosteriorServiceImpl::PosteriorServiceImpl(FittedModels* models, ThreadPool* pool,
                                           int64_t max_request_bytes)
    : models_(models), pool_(pool), max_request_bytes_(max_request_bytes), limit_(kMaxHeavyWork) {}

absl::StatusOr<v1::DrawsChunk> PosteriorServiceImpl::Chunk(const grpc::ServerContext& context,
                                                           const v1::StreamDrawsRequest& request,
                                                           const FittedModel& fitted, int64_t first,
                                                           int64_t count) {
  const HeavyWork work(&context, &limit_);
  if (!work.status().ok()) return work.status();
  const bool densities = !request.omit_densities();
  absl::StatusOr<DrawBatch> batch = Draw(
      *fitted.model, densities ? fitted.target.get() : nullptr, request.seed(), first, count,
      densities ? InnerSamples(request.inner_samples(), fitted.fit) : 0, *pool_, work.cancel());
  if (!batch.ok()) return batch.status();
  v1::DrawsChunk chunk;
  chunk.set_first(first);
  chunk.set_count(static_cast<int>(count));
  chunk.set_dimension(static_cast<int>(batch->z.rows()));
  chunk.mutable_values()->Add(batch->z.data(), batch->z.data() + batch->z.size());
  if (densities) {
    Append(batch->log_p, chunk.mutable_log_p());
    Append(batch->log_q, chunk.mutable_log_q());
    Append(batch->log_p - batch->log_q, chunk.mutable_log_weight());
  }
  return chunk;
}

absl::Status PosteriorServiceImpl::Stream(const grpc::ServerContext& context,
                                          const v1::StreamDrawsRequest& request,
                                          grpc::ServerWriter<v1::DrawsChunk>* writer) {
  for (absl::Status status :
       {CheckRange("count", request.count(), 0, kMaxDraws),
        CheckRange("first", request.first(), 0, INT64_MAX - kMaxDraws),
        CheckRange("inner_samples", request.inner_samples(), 0, kMaxInnerSamples)}) {
    if (!status.ok()) return status;
  }
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(request.name());
  if (!fitted.ok()) return fitted.status();
  const v1::Fit& fit = (*fitted)->fit;
  if (absl::Status s = CheckResampling(request, fit.dimension()); !s.ok()) return s;
  if (request.resample()) return StreamResampled(context, request, **fitted, writer);
  const int64_t step = DrawsPerChunk(
      fit.dimension(), request.omit_densities() ? 0 : InnerSamples(request.inner_samples(), fit));
  const int64_t end = request.first() + StreamedCount(request);
  for (int64_t first = request.first(); first < end; first += step) {
    absl::StatusOr<v1::DrawsChunk> chunk =
        Chunk(context, request, **fitted, first, std::min(step, end - first));
    if (!chunk.ok()) return chunk.status();
    if (first == request.first()) *chunk->mutable_coordinate_names() = fit.coordinate_names();
    if (!writer->Write(*chunk)) return absl::CancelledError("the client has left");
  }
  return absl::OkStatus();
}

absl::Status PosteriorServiceImpl::StreamResampled(const grpc::ServerContext& context,
                                                   const v1::StreamDrawsRequest& request,
                                                   const FittedModel& fitted,
                                                   grpc::ServerWriter<v1::DrawsChunk>* writer) {
  const int64_t count = StreamedCount(request);
  absl::StatusOr<ResampledDraws> draws = absl::UnknownError("");
  {
    const HeavyWork work(&context, &limit_);
    if (!work.status().ok()) return work.status();
    draws = Resample(*fitted.model, *fitted.target, request.seed(), count,
                     InnerSamples(request.inner_samples(), fitted.fit), *pool_, work.cancel());
  }
  if (!draws.ok()) return draws.status();
  if (draws->tail == Verdict::kDoNotTrust && !request.force()) return HeavyTail(*draws);
  const int64_t step = DrawsPerChunk(fitted.fit.dimension(), 0);
  for (int64_t first = 0; first < count; first += step) {
    v1::DrawsChunk chunk =
        ToChunk(*draws, first, std::min(step, count - first), !request.omit_densities());
    if (first == 0) *chunk.mutable_coordinate_names() = fitted.fit.coordinate_names();
    if (!writer->Write(chunk)) return absl::CancelledError("the client has left");
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::PosteriorSummary> PosteriorServiceImpl::Summary(
    const grpc::ServerContext& context, const v1::SummarizePosteriorRequest& request) {
  absl::StatusOr<std::vector<double>> probabilities = Probabilities(request);
  if (!probabilities.ok()) return probabilities.status();
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(request.name());
  if (!fitted.ok()) return fitted.status();
  const int dim = (*fitted)->fit.dimension();
  const int64_t count =
      request.count() != 0 ? request.count() : std::min(kDefaultSummarized, kMaxNumbers / dim);
  if (absl::Status status = CheckRange("count", count, 2, kMaxSummaryDraws); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckNumbers("count", count, dim); !status.ok()) return status;
  if (request.covariance() && dim > kMaxCovarianceDim) {
    return FieldError("covariance", absl::StrCat("at most ", kMaxCovarianceDim,
                                                 " coordinates; the fit has ", dim));
  }
  const HeavyWork work(&context, &limit_);
  if (!work.status().ok()) return work.status();
  absl::StatusOr<DrawBatch> batch =
      Draw(*(*fitted)->model, nullptr, request.seed(), 0, count, 0, *pool_, work.cancel());
  if (!batch.ok()) return batch.status();
  absl::StatusOr<PosteriorSummary> summary =
      Summarize(batch->z, *probabilities, request.covariance());
  if (!summary.ok()) return summary.status();
  v1::PosteriorSummary message = ToMessage(*summary, (*fitted)->fit, *probabilities);
  message.set_count(count);
  return message;
}

absl::StatusOr<v1::LogEvidence> PosteriorServiceImpl::Evidence(
    const grpc::ServerContext& context, const v1::EstimateLogEvidenceRequest& request) {
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(request.name());
  if (!fitted.ok()) return fitted.status();
  const v1::Fit& fit = (*fitted)->fit;
  const int64_t draws =
      request.draws() != 0 ? request.draws() : fit.effective_hyperparameters().evidence_draws();
  const int64_t used = fit.evidence().inner_samples();
  const int64_t inner_samples =
      request.inner_samples() == 0 && used > 0 ? used : InnerSamples(request.inner_samples(), fit);
  for (absl::Status status : {CheckRange("draws", draws, 2, kMaxDraws),
                              CheckRange("inner_samples", inner_samples, 1, kMaxInnerSamples),
                              CheckNumbers("draws", draws, fit.dimension())}) {
    if (!status.ok()) return status;
  }
  const HeavyWork work(&context, &limit_);
  if (!work.status().ok()) return work.status();
  absl::StatusOr<EvidenceEstimate> estimate =
      EstimateEvidence(*(*fitted)->model, *(*fitted)->target, request.seed(), draws, inner_samples,
                       *pool_, work.cancel());
  if (!estimate.ok()) return estimate.status();
  v1::LogEvidence message = server::ToMessage(*estimate);
  *message.mutable_verdict() = JudgeFitBy(*estimate, fit);
  return message;
}

absl::StatusOr<v1::EvaluateLogDensityResponse> PosteriorServiceImpl::LogDensity(
    const grpc::ServerContext& context, const v1::EvaluateLogDensityRequest& request) {
  if (absl::Status status = CheckRequestSize(request, max_request_bytes_); !status.ok()) {
    return status;
  }
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(request.name());
  if (!fitted.ok()) return fitted.status();
  absl::StatusOr<Eigen::MatrixXd> points = ToMatrix(request.points(), "points");
  if (!points.ok()) return points.status();
  if (points->cols() != (*fitted)->fit.dimension()) {
    return FieldError("points", absl::StrCat("has ", points->cols(), " columns; the fit has ",
                                             (*fitted)->fit.dimension(), " coordinates"));
  }
  const int64_t inner_samples = InnerSamples(request.inner_samples(), (*fitted)->fit);
  for (absl::Status status : {CheckRange("points.rows", points->rows(), 1, 1'000'000),
                              CheckRange("inner_samples", inner_samples, 1, kMaxInnerSamples)}) {
    if (!status.ok()) return status;
  }
  const Eigen::MatrixXd z = points->transpose();
  v1::EvaluateLogDensityResponse response;
  for (int64_t first = 0; first < z.cols(); first += kPointsPerCall) {
    const HeavyWork work(&context, &limit_);
    if (!work.status().ok()) return work.status();
    const int64_t count = std::min<int64_t>(kPointsPerCall, z.cols() - first);
    absl::StatusOr<LogDensityEstimate> estimate = aisivi::EvaluateLogDensity(
        *(*fitted)->model, z.middleCols(first, count),
        request.seed() + static_cast<uint64_t>(first), inner_samples, *pool_, work.cancel());
    if (!estimate.ok()) return estimate.status();
    Append(estimate->log_q, response.mutable_log_q());
    Append(estimate->lower, response.mutable_lower());
    Append(estimate->upper, response.mutable_upper());
  }
  return response;
}

grpc::Status PosteriorServiceImpl::StreamDraws(grpc::ServerContext* context,
                                               const v1::StreamDrawsRequest* request,
                                               grpc::ServerWriter<v1::DrawsChunk>* writer) {
  return ToGrpcStatus(Stream(*context, *request, writer));
}

grpc::Status PosteriorServiceImpl::SummarizePosterior(grpc::ServerContext* context,
                                                      const v1::SummarizePosteriorRequest* request,
                                                      v1::PosteriorSummary* response) {
  return Reply(Summary(*context, *request), response);
}

grpc::Status PosteriorServiceImpl::EstimateLogEvidence(
    grpc::ServerContext* context, const v1::EstimateLogEvidenceRequest* request,
    v1::LogEvidence* response) {
  return Reply(Evidence(*context, *request), response);
}

grpc::Status PosteriorServiceImpl::EvaluateLogDensity(grpc::ServerContext* context,
                                                      const v1::EvaluateLogDensityRequest* request,
                                                      v1::EvaluateLogDensityResponse* response) {
  return Reply(LogDensity(*context, *request), response);
}

}  // namespace aisivi::server
