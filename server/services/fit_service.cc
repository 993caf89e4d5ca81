#include "server/services/fit_service.h"

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/jobs/fit_name.h"
#include "server/jobs/fit_plan.h"
#include "server/services/heavy_reactor.h"
#include "server/services/paging.h"
#include "server/services/reply.h"
#include "server/services/request_size.h"
#include "server/services/watch_reactor.h"
#include "server/status.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

constexpr int kDefaultPageSize = 50;
constexpr size_t kChunkBytes = 1 << 20;
constexpr size_t kPageBytes = 3 << 20;  // well below what clients accept in one message
constexpr size_t kMaxRequestId = 64;
constexpr absl::Duration kCancelPatience = absl::Seconds(1);

absl::Status CheckRequestId(const std::string& request_id) {
  bool valid = request_id.size() <= kMaxRequestId;
  for (const char c : request_id) valid &= absl::ascii_isalnum(c) || c == '-' || c == '_';
  if (valid) return absl::OkStatus();
  return FieldError("request_id", "must have 1 to 64 characters out of [A-Za-z0-9_-]");
}

absl::StatusOr<ListOrder> ParseOrder(absl::string_view text) {
  const std::vector<std::string> words =
      absl::StrSplit(absl::StripAsciiWhitespace(text), ' ', absl::SkipEmpty());
  if (words.empty()) return ListOrder::kNewestFirst;
  if (words[0] == "create_time") {
    if (words.size() == 1) return ListOrder::kOldestFirst;
    if (words.size() == 2 && words[1] == "desc") return ListOrder::kNewestFirst;
  }
  return FieldError("order_by", absl::StrCat(Quoted(text),
                                             " is neither \"create_time\" nor "
                                             "\"create_time desc\""));
}

// What an update takes from `fit`. INVALID_ARGUMENT at update_mask.
absl::StatusOr<FitChange> ChangeOf(const v1::Fit& fit, const google::protobuf::FieldMask& mask) {
  const std::set<std::string> paths(mask.paths().begin(), mask.paths().end());
  if (paths.empty()) return FieldError("update_mask", "is empty");
  for (const std::string& path : paths) {
    if (path == "display_name" || path == "labels" || path == "expire_time" || path == "*")
      continue;
    return FieldError("update_mask", absl::StrCat(Quoted(path),
                                                  " cannot be changed; paths: "
                                                  "display_name, labels, expire_time, *"));
  }
  return [fit, paths](v1::Fit* changed) {
    const auto named = [&](const char* path) { return paths.count(path) + paths.count("*") > 0; };
    if (named("display_name")) changed->set_display_name(fit.display_name());
    if (named("labels")) *changed->mutable_labels() = fit.labels();
    if (!named("expire_time")) return;
    if (fit.has_expire_time()) {
      *changed->mutable_expire_time() = fit.expire_time();
    } else {
      changed->clear_expire_time();
    }
  };
}

// The chunks of a stored fit, which is read when the first of them is asked for.
class FitDownload {
 public:
  FitDownload(const JobManager* jobs, std::string id) : jobs_(jobs), id_(std::move(id)) {}

  absl::StatusOr<std::optional<v1::FitChunk>> Next() {
    if (!bytes_.has_value()) {
      if (absl::Status status = Read(); !status.ok()) return status;
    }
    std::optional<v1::FitChunk> chunk;
    if (sent_ == bytes_->size()) return chunk;
    chunk.emplace().set_data(bytes_->substr(sent_, kChunkBytes));
    sent_ += chunk->data().size();
    return chunk;
  }

 private:
  absl::Status Read() {
    absl::StatusOr<v1::Fit> fit = jobs_->Get(id_);
    if (!fit.ok()) return fit.status();
    absl::StatusOr<FitRecord> record = jobs_->Record(id_);
    if (!record.ok()) return record.status();
    *fit->mutable_target() = std::move(*record->mutable_fit()->mutable_target());
    bytes_ = fit->SerializeAsString();
    return absl::OkStatus();
  }

  const JobManager* const jobs_;
  const std::string id_;
  std::optional<std::string> bytes_;
  size_t sent_ = 0;
};

}  // namespace

absl::StatusOr<v1::Fit> FitServiceImpl::Create(const v1::CreateFitRequest& request,
                                               const std::atomic<bool>* cancel) {
  const uint64_t fingerprint = RequestFingerprint(request.fit());
  if (!request.validate_only()) {
    absl::StatusOr<std::unique_ptr<v1::Fit>> same =
        jobs_->FindRequest(request.request_id(), fingerprint);
    if (!same.ok()) return same.status();
    if (*same != nullptr) return **same;
  }
  absl::StatusOr<FitPlan> plan = PlanFit(request.fit(), sources_.WithCancel(cancel));
  if (!plan.ok()) return plan.status();
  if (request.validate_only()) return WithoutArrays(plan->fit);
  return jobs_->Create(plan->fit, request.request_id(), fingerprint);
}

absl::StatusOr<v1::Fit> FitServiceImpl::Update(const v1::UpdateFitRequest& request) {
  absl::StatusOr<std::string> id = ParseFitName("fit.name", request.fit().name());
  if (!id.ok()) return id.status();
  absl::StatusOr<FitChange> change = ChangeOf(request.fit(), request.update_mask());
  if (!change.ok()) return change.status();
  if (absl::Status status = AllErrors(CheckChangeable(request.fit())); !status.ok()) return status;
  return jobs_->Update(*id, request.fit().etag(), *change);
}

absl::StatusOr<v1::ListFitsResponse> FitServiceImpl::List(const v1::ListFitsRequest& request) {
  absl::StatusOr<int> page_size = PageSize(request.page_size(), kDefaultPageSize);
  if (!page_size.ok()) return page_size.status();
  absl::StatusOr<FitFilter> filter = FitFilter::Parse(request.filter());
  if (!filter.ok()) return filter.status();
  absl::StatusOr<ListOrder> order = ParseOrder(request.order_by());
  if (!order.ok()) return order.status();
  const std::string query = absl::StrCat(static_cast<int>(*order), " ", request.filter());
  absl::StatusOr<int64_t> position = PagePosition(request.page_token(), query);
  if (!position.ok()) return position.status();
  const std::vector<LiveFit::Snapshot> fits =
      jobs_->List(*filter, *order, *position, *page_size + 1);
  v1::ListFitsResponse response;
  size_t bytes = 0;
  for (const LiveFit::Snapshot& fit : fits) {
    bytes += fit->ByteSizeLong();
    const int listed = response.fits_size();
    if (listed == *page_size || (listed > 0 && bytes > kPageBytes)) {
      const int64_t last = JobManager::Age(response.fits(listed - 1));
      response.set_next_page_token(PageToken(last, query));
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
  return StartHeavy(checks_, response, [this, request](const std::atomic<bool>* cancel) {
    return Create(*request, cancel);
  });
}

grpc::Status FitServiceImpl::GetFit(grpc::ServerContext* context, const v1::GetFitRequest* request,
                                    v1::Fit* response) {
  absl::StatusOr<std::string> id = ParseFitName("name", request->name());
  if (!id.ok()) return ToGrpcStatus(id.status());
  return Reply(jobs_->Get(*id), response);
}

grpc::ServerWriteReactor<v1::FitChunk>* FitServiceImpl::DownloadFit(
    grpc::CallbackServerContext* context, const v1::DownloadFitRequest* request) {
  absl::StatusOr<std::string> id = ParseFitName("name", request->name());
  if (!id.ok()) return RefuseStream<v1::FitChunk>(id.status());
  const auto download = std::make_shared<FitDownload>(jobs_, *id);
  return StartHeavyStream<v1::FitChunk>(
      transfers_, [download](const std::atomic<bool>*) { return download->Next(); });
}

grpc::ServerUnaryReactor* FitServiceImpl::UpdateFit(grpc::CallbackServerContext* context,
                                                    const v1::UpdateFitRequest* request,
                                                    v1::Fit* response) {
  if (absl::Status status = CheckRequestSize(*request, max_request_bytes_); !status.ok()) {
    return Refuse(context, status);
  }
  return StartHeavy(checks_, response,
                    [this, request](const std::atomic<bool>*) { return Update(*request); });
}

grpc::Status FitServiceImpl::ListFits(grpc::ServerContext* context,
                                      const v1::ListFitsRequest* request,
                                      v1::ListFitsResponse* response) {
  return Reply(List(*request), response);
}

grpc::Status FitServiceImpl::CancelFit(grpc::ServerContext* context,
                                       const v1::CancelFitRequest* request, v1::Fit* response) {
  absl::StatusOr<std::string> id = ParseFitName("name", request->name());
  if (!id.ok()) return ToGrpcStatus(id.status());
  return Reply(jobs_->Cancel(*id, request->etag(), kCancelPatience), response);
}

grpc::Status FitServiceImpl::DeleteFit(grpc::ServerContext* context,
                                       const v1::DeleteFitRequest* request,
                                       google::protobuf::Empty* response) {
  absl::StatusOr<std::string> id = ParseFitName("name", request->name());
  if (!id.ok()) return ToGrpcStatus(id.status());
  return ToGrpcStatus(jobs_->Delete(*id, request->etag()));
}

grpc::ServerUnaryReactor* FitServiceImpl::GetTrainingHistory(
    grpc::CallbackServerContext* context, const v1::GetTrainingHistoryRequest* request,
    v1::TrainingHistory* response) {
  absl::StatusOr<std::string> id = ParseFitName("name", request->name());
  if (!id.ok()) return Refuse(context, id.status());
  return StartHeavy(checks_, response,
                    [this, id = *id](const std::atomic<bool>*) { return jobs_->History(id); });
}

grpc::ServerWriteReactor<v1::WatchFitResponse>* FitServiceImpl::WatchFit(
    grpc::CallbackServerContext* context, const v1::WatchFitRequest* request) {
  absl::StatusOr<std::string> id = ParseFitName("name", request->name());
  if (!id.ok()) return RefuseWatch(id.status());
  if (request->after_sequence() < 0) {
    return RefuseWatch(FieldError("after_sequence", "must not be negative"));
  }
  absl::StatusOr<std::shared_ptr<EventLog>> log = jobs_->Events(*id);
  if (!log.ok()) return RefuseWatch(log.status());
  return StartWatch(*std::move(log), request->after_sequence());
}

}  // namespace aisivi::server
