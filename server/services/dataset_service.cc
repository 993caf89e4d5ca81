#include "server/services/dataset_service.h"

#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/convert/target_data.h"
#include "server/services/dataset_upload_reactor.h"
#include "server/services/heavy_reactor.h"
#include "server/services/paging.h"
#include "server/services/reply.h"
#include "server/status.h"
#include "server/store/dataset_name.h"

namespace aisivi::server {
namespace {

constexpr int kDefaultPageSize = 50;
constexpr char kQuery[] = "datasets";
constexpr char kInUse[] = "DATASET_IN_USE";

// An error of the store about the data set that the request's `name` names.
absl::Status AtName(const absl::Status& status, const std::string& name) {
  if (absl::IsNotFound(status)) return DatasetNotFound("name", name);
  return status;
}

absl::StatusOr<std::optional<v1::DownloadDatasetResponse>> NextBlock(DatasetContent& content) {
  const absl::StatusOr<absl::string_view> block = content.Next();
  if (!block.ok()) return block.status();
  if (block->empty()) return std::nullopt;
  v1::DownloadDatasetResponse response;
  response.set_data(std::string(*block));
  return response;
}

}  // namespace

absl::StatusOr<v1::Dataset> DatasetServiceImpl::Get(const std::string& name) const {
  absl::StatusOr<std::string> id = ParseDatasetName(name, "name");
  if (!id.ok()) return id.status();
  absl::StatusOr<v1::Dataset> dataset = datasets_->Get(*id);
  if (!dataset.ok()) return AtName(dataset.status(), name);
  return dataset;
}

absl::StatusOr<v1::ListDatasetsResponse> DatasetServiceImpl::List(
    const v1::ListDatasetsRequest& request) const {
  absl::StatusOr<int> page_size = PageSize(request.page_size(), kDefaultPageSize);
  if (!page_size.ok()) return page_size.status();
  absl::StatusOr<int64_t> before = PagePosition(request.page_token(), kQuery);
  if (!before.ok()) return before.status();
  v1::ListDatasetsResponse response;
  for (v1::Dataset& dataset : datasets_->List(*before, *page_size + 1)) {
    const int listed = response.datasets_size();
    if (listed == *page_size) {
      response.set_next_page_token(
          PageToken(DatasetStore::Age(response.datasets(listed - 1)), kQuery));
      break;
    }
    *response.add_datasets() = std::move(dataset);
  }
  return response;
}

absl::Status DatasetServiceImpl::CheckUnused(const std::string& name) const {
  const std::vector<LiveFit::Snapshot> fits =
      jobs_->List(FitFilter(), ListOrder::kNewestFirst, 0, std::numeric_limits<int>::max());
  for (const LiveFit::Snapshot& fit : fits) {
    if (DatasetOf(fit->target()) != name) continue;
    return NotAllowed(kInUse, "name",
                      absl::StrCat(name, " is named by ", fit->name(),
                                   "; it can be deleted once that fit is deleted"));
  }
  return absl::OkStatus();
}

absl::Status DatasetServiceImpl::Delete(const std::string& name) {
  absl::StatusOr<std::string> id = ParseDatasetName(name, "name");
  if (!id.ok()) return id.status();
  bool checked = false;
  const absl::Status status = datasets_->Delete(*id, [&] {
    checked = true;
    return CheckUnused(name);
  });
  // A lease is a fit that is being created.
  if (!checked && absl::IsFailedPrecondition(status)) {
    return NotAllowed(kInUse, "name", status.message());
  }
  return AtName(status, name);
}

grpc::ServerReadReactor<v1::UploadDatasetRequest>* DatasetServiceImpl::UploadDataset(
    grpc::CallbackServerContext* context, v1::Dataset* response) {
  return StartUpload(transfers_, &idle_uploads_, datasets_, response);
}

grpc::Status DatasetServiceImpl::GetDataset(grpc::ServerContext* context,
                                            const v1::GetDatasetRequest* request,
                                            v1::Dataset* response) {
  return Reply(Get(request->name()), response);
}

grpc::Status DatasetServiceImpl::ListDatasets(grpc::ServerContext* context,
                                              const v1::ListDatasetsRequest* request,
                                              v1::ListDatasetsResponse* response) {
  return Reply(List(*request), response);
}

grpc::Status DatasetServiceImpl::DeleteDataset(grpc::ServerContext* context,
                                               const v1::DeleteDatasetRequest* request,
                                               google::protobuf::Empty* response) {
  return ToGrpcStatus(Delete(request->name()));
}

grpc::ServerWriteReactor<v1::DownloadDatasetResponse>* DatasetServiceImpl::DownloadDataset(
    grpc::CallbackServerContext* context, const v1::DownloadDatasetRequest* request) {
  using Response = v1::DownloadDatasetResponse;
  absl::StatusOr<std::string> id = ParseDatasetName(request->name(), "name");
  if (!id.ok()) return RefuseStream<Response>(id.status());
  absl::StatusOr<DatasetContent> content = datasets_->Content(*id);
  if (!content.ok()) return RefuseStream<Response>(AtName(content.status(), request->name()));
  auto shared = std::make_shared<DatasetContent>(*std::move(content));
  return StartHeavyStream<Response>(
      transfers_, [shared](const std::atomic<bool>*) { return NextBlock(*shared); });
}

}  // namespace aisivi::server
