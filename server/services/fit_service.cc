#include "server/services/fit_service.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "server/jobs/fit_name.h"
#include "server/jobs/fit_plan.h"
#include "server/services/heavy_reactor.h"
#include "server/services/paging.h"
#include "server/services/reply.h"
#include "server/services/request_size.h"
#include "server/services/watch_reactor.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr int kDefaultPageSize = 50;
constexpr size_t kPageBytes = 3 << 20;  // well below what clients accept in one message
constexpr size_t kMaxRequestId = 64;
constexpr absl::Duration kCancelPatience = absl::Seconds(1);

absl::Status CheckRequestId(const std::string& request_id) {
  bool valid = request_id.size() <= kMaxRequestId;
  for (const char c : request_id) valid &= absl::ascii_isalnum(c) || c == '-' || c == '_';
  if (valid) return absl::OkStatus();
  return FieldError("request_id", "must have 1 to 64 characters out of [A-Za-z0-9_-]");
}

}  // namespace

absl::StatusOr<v1::Fit> FitServiceImpl::Create(const v1::CreateFitRequest& request) {
  const uint64_t fingerprint = RequestFingerprint(request.fit());
  if (!request.validate_only()) {
    absl::StatusOr<std::unique_ptr<v1::Fit>> same =
        jobs_->FindRequest(request.request_id(), fingerprint);
    if (!same.ok()) return same.status();
    if (*same != nullptr) return **same;
  }
  absl::StatusOr<FitPlan> plan = PlanFit(request.fit(), datasets_);
  if (!plan.ok()) return plan.status();
  if (request.validate_only()) return BasicView(plan->fit);
  return jobs_->Create(plan->fit, request.request_id(), fingerprint);
}

absl::StatusOr<v1::Fit> FitServiceImpl::Get(const v1::GetFitRequest& request) {
  absl::StatusOr<std::string> id = ParseFitName(request.name());
  if (!id.ok()) return id.status();
  if (!v1::FitView_IsValid(request.view())) return FieldError("view", "is not a FitView");
  absl::StatusOr<v1::Fit> fit = jobs_->Get(*id);
  if (!fit.ok() || request.view() != v1::FULL) return fit;
  absl::StatusOr<FitRecord> record = jobs_->Record(*id);
  if (!record.ok()) return record.status();
  *fit->mutable_target() = std::move(*record->mutable_fit()->mutable_target());
  return fit;
}

absl::StatusOr<v1::ListFitsResponse> FitServiceImpl::List(const v1::ListFitsRequest& request) {
  absl::StatusOr<int> page_size = PageSize(request.page_size(), kDefaultPageSize);
  if (!page_size.ok()) return page_size.status();
  absl::StatusOr<FitFilter> filter = FitFilter::Parse(request.filter());
  if (!filter.ok()) return filter.status();
  absl::StatusOr<int64_t> before = PagePosition(request.page_token(), request.filter());
  if (!before.ok()) return before.status();
  const std::vector<LiveFit::Snapshot> fits = jobs_->List(*filter, *before, *page_size + 1);
  v1::ListFitsResponse response;
  size_t bytes = 0;
  for (const LiveFit::Snapshot& fit : fits) {
    bytes += fit->ByteSizeLong();
    const int listed = response.fits_size();
    if (listed == *page_size || (listed > 0 && bytes > kPageBytes)) {
      const int64_t last = JobManager::Age(response.fits(listed - 1));
      response.set_next_page_token(PageToken(last, request.filter()));
      break;
    }
    *response.add_fits() = *fit;
  }
  return response;
}

grpc::ServerUnaryReactor* FitServiceImpl::CreateFit(grpc::CallbackServerContext* context,
                                                    const v1::CreateFitRequest* request,
                                                    v1::Fit* response) {
  for (absl::Status status :
       {CheckRequestSize(*request, max_request_bytes_), CheckRequestId(request->request_id())}) {
    if (!status.ok()) return Refuse(context, status);
  }
  return StartHeavy(checks_, response,
                    [this, request](const std::atomic<bool>*) { return Create(*request); });
}

grpc::Status FitServiceImpl::GetFit(grpc::ServerContext* context, const v1::GetFitRequest* request,
                                    v1::Fit* response) {
  return Reply(Get(*request), response);
}

grpc::Status FitServiceImpl::ListFits(grpc::ServerContext* context,
                                      const v1::ListFitsRequest* request,
                                      v1::ListFitsResponse* response) {
  return Reply(List(*request), response);
}

grpc::Status FitServiceImpl::CancelFit(grpc::ServerContext* context,
                                       const v1::CancelFitRequest* request, v1::Fit* response) {
  absl::StatusOr<std::string> id = ParseFitName(request->name());
  if (!id.ok()) return ToGrpcStatus(id.status());
  return Reply(jobs_->Cancel(*id, kCancelPatience), response);
}

grpc::Status FitServiceImpl::DeleteFit(grpc::ServerContext* context,
                                       const v1::DeleteFitRequest* request,
                                       google::protobuf::Empty* response) {
  absl::StatusOr<std::string> id = ParseFitName(request->name());
  if (!id.ok()) return ToGrpcStatus(id.status());
  return ToGrpcStatus(jobs_->Delete(*id));
}

grpc::Status FitServiceImpl::GetTrainingHistory(grpc::ServerContext* context,
                                                const v1::GetTrainingHistoryRequest* request,
                                                v1::TrainingHistory* response) {
  absl::StatusOr<std::string> id = ParseFitName(request->name());
  if (!id.ok()) return ToGrpcStatus(id.status());
  return Reply(jobs_->History(*id), response);
}

grpc::ServerWriteReactor<v1::WatchFitResponse>* FitServiceImpl::WatchFit(
    grpc::CallbackServerContext* context, const v1::WatchFitRequest* request) {
  absl::StatusOr<std::string> id = ParseFitName(request->name());
  if (!id.ok()) return RefuseWatch(id.status());
  if (request->after_sequence() < 0) {
    return RefuseWatch(FieldError("after_sequence", "must not be negative"));
  }
  absl::StatusOr<std::shared_ptr<EventLog>> log = jobs_->Events(*id);
  if (!log.ok()) return RefuseWatch(log.status());
  return StartWatch(*std::move(log), request->after_sequence());
}

}  // namespace aisivi::server
