#include "server/services/draws_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/services/append.h"
#include "server/services/posterior_limits.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr int64_t kDefaultStreamed = 1000;
// Well below the 4 MB that clients accept by default.
constexpr int64_t kChunkBytes = 1 << 20;
// So that a chunk with densities takes a moment, not a minute.
constexpr int64_t kChunkInnerSamples = 1 << 20;

int64_t StreamedCount(const v1::StreamDrawsRequest& request) {
  return request.count() == 0 ? kDefaultStreamed : request.count();
}

int64_t DrawsPerChunk(int dim, int64_t inner_samples) {
  const int64_t by_size = kChunkBytes / static_cast<int64_t>(sizeof(double) * (dim + 3));
  const int64_t by_work = kChunkInnerSamples / std::max<int64_t>(1, inner_samples);
  return std::max<int64_t>(1, std::min(by_size, by_work));
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
    Append(draws.log_p.segment(first, count).eval(), chunk.mutable_log_p());
    Append(draws.log_q.segment(first, count).eval(), chunk.mutable_log_q());
  }
  return chunk;
}

}  // namespace

absl::Status CheckDrawsRequest(const v1::StreamDrawsRequest& request, const v1::Fit& fit) {
  for (absl::Status status :
       {CheckRange("count", request.count(), 0, kMaxDraws),
        CheckRange("first", request.first(), 0, INT64_MAX - kMaxDraws),
        CheckRange("inner_samples", request.inner_samples(), 0, kMaxInnerSamples)}) {
    if (!status.ok()) return status;
  }
  if (absl::Status s = CheckResampling(request, fit.dimension()); !s.ok()) return s;
  if (request.omit_densities() && !request.resample()) return absl::OkStatus();
  return CheckDensityWork("count", (request.resample() ? 4 : 1) * StreamedCount(request),
                          InnerSamples(request.inner_samples(), fit), fit.dimension());
}

DrawsSource::DrawsSource(v1::StreamDrawsRequest request, FittedModels* models, ThreadPool* pool)
    : request_(std::move(request)), models_(models), pool_(pool) {}

absl::StatusOr<std::optional<v1::DrawsChunk>> DrawsSource::Next(const std::atomic<bool>* cancel) {
  const int64_t left = StreamedCount(request_) - sent_;
  if (left == 0) {
    std::optional<v1::DrawsChunk> none;
    return none;
  }
  if (fitted_ == nullptr) {
    absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(request_.name());
    if (!fitted.ok()) return fitted.status();
    fitted_ = *std::move(fitted);
  }
  if (request_.resample() && resampled_ == nullptr) {
    if (absl::Status status = Choose(cancel); !status.ok()) return status;
  }
  const bool densities = !request_.omit_densities() && resampled_ == nullptr;
  const int64_t step =
      DrawsPerChunk(fitted_->fit.dimension(),
                    densities ? InnerSamples(request_.inner_samples(), fitted_->fit) : 0);
  const int64_t count = std::min(step, left);
  absl::StatusOr<v1::DrawsChunk> chunk =
      resampled_ != nullptr ? ToChunk(*resampled_, sent_, count, !request_.omit_densities())
                            : Chunk(count, cancel);
  if (!chunk.ok()) return chunk.status();
  if (sent_ == 0) *chunk->mutable_coordinate_names() = fitted_->fit.coordinate_names();
  sent_ += count;
  return std::optional<v1::DrawsChunk>(*std::move(chunk));
}

absl::StatusOr<v1::DrawsChunk> DrawsSource::Chunk(int64_t count, const std::atomic<bool>* cancel) {
  const bool densities = !request_.omit_densities();
  const int64_t first = request_.first() + sent_;
  const std::shared_ptr<const Target> target = TargetFor(fitted_, cancel);
  absl::StatusOr<DrawBatch> batch =
      Draw(*fitted_->model, densities ? target.get() : nullptr, request_.seed(), first, count,
           densities ? InnerSamples(request_.inner_samples(), fitted_->fit) : 0, *pool_, cancel);
  if (!batch.ok()) return OfTarget(*fitted_, batch.status());
  v1::DrawsChunk chunk;
  chunk.set_first(first);
  chunk.set_count(static_cast<int>(count));
  chunk.set_dimension(static_cast<int>(batch->z.rows()));
  chunk.mutable_values()->Add(batch->z.data(), batch->z.data() + batch->z.size());
  if (densities) {
    Append(batch->log_p, chunk.mutable_log_p());
    Append(batch->log_q, chunk.mutable_log_q());
    Append((batch->log_p - batch->log_q).eval(), chunk.mutable_log_weight());
  }
  return chunk;
}

absl::Status DrawsSource::Choose(const std::atomic<bool>* cancel) {
  absl::StatusOr<ResampledDraws> draws = Resample(
      *fitted_->model, *TargetFor(fitted_, cancel), request_.seed(), StreamedCount(request_),
      InnerSamples(request_.inner_samples(), fitted_->fit), *pool_, cancel);
  if (!draws.ok()) return OfTarget(*fitted_, draws.status());
  if (draws->tail == Verdict::kDoNotTrust && !request_.force()) return HeavyTail(*draws);
  resampled_ = std::make_unique<const ResampledDraws>(*std::move(draws));
  return absl::OkStatus();
}

}  // namespace aisivi::server
