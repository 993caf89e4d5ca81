#include "server/services/covariance_source.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/evidence/evidence.h"
#include "engine/evidence/summary.h"
#include "server/services/draw_scale.h"
#include "server/services/posterior_limits.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr int kMaxDim = 2000;
// Well below the 4 MB that clients accept by default.
constexpr int64_t kChunkNumbers = 1 << 17;

}  // namespace

absl::Status CheckCovarianceRequest(const v1::StreamCovarianceRequest& request,
                                    const v1::Fit& fit) {
  if (absl::Status status = CheckScale(request.scale()); !status.ok()) return status;
  const int size = DrawSize(fit, request.scale());
  if (size > kMaxDim) {
    return FieldError("name", absl::StrCat("names a fit whose draws have ", size,
                                           " numbers; a covariance has at most ", kMaxDim));
  }
  return CheckSummarizedDraws(request.count(), HeldSize(fit, request.scale()));
}

CovarianceSource::CovarianceSource(const v1::StreamCovarianceRequest& request, const v1::Fit& fit,
                                   FittedModels* models, ThreadPool* pool)
    : name_(request.name()),
      seed_(request.seed()),
      scale_(request.scale()),
      count_(SummarizedDraws(request.count(), HeldSize(fit, request.scale()))),
      models_(models),
      pool_(pool) {}

absl::Status CovarianceSource::Compute(const std::atomic<bool>* cancel) {
  absl::StatusOr<std::shared_ptr<const FittedModel>> fitted = models_->Get(name_);
  if (!fitted.ok()) return fitted.status();
  absl::StatusOr<DrawBatch> batch =
      Draw(*(*fitted)->model, nullptr, seed_, 0, count_, 0, *pool_, cancel);
  if (!batch.ok()) return batch.status();
  if (absl::Status s = ToScale(**fitted, scale_, seed_, 0, &batch->z); !s.ok()) return s;
  absl::StatusOr<PosteriorSummary> summary = Summarize(batch->z, {}, /*covariance=*/true);
  if (!summary.ok()) return summary.status();
  covariance_ = std::move(summary->covariance);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::MatrixRows>> CovarianceSource::Next(
    const std::atomic<bool>* cancel) {
  std::optional<v1::MatrixRows> rows;
  if (covariance_.size() == 0) {
    if (absl::Status status = Compute(cancel); !status.ok()) return status;
  }
  const int64_t dim = covariance_.rows();
  if (sent_ == dim) return rows;
  const int64_t count = std::min(dim - sent_, std::max<int64_t>(1, kChunkNumbers / dim));
  rows.emplace().set_first(static_cast<int>(sent_));
  rows->set_columns(static_cast<int>(dim));
  rows->set_rows(static_cast<int>(dim));
  // Symmetric: its columns are its rows.
  const double* values = covariance_.col(sent_).data();
  rows->mutable_values()->Add(values, values + count * dim);
  sent_ += count;
  return rows;
}

}  // namespace aisivi::server
