// DatasetService: data sets in and out, and who uses them.
#pragma once

#include "aisivi/v1/dataset_service.grpc.pb.h"
#include "server/jobs/job_manager.h"
#include "server/services/heavy_work.h"
#include "server/services/idle_watch.h"
#include "server/store/dataset_store.h"

namespace aisivi::server {

// Uploads and downloads are HeavyWork, which no thread waits for; the other methods are short.
class DatasetServiceImpl final
    : public v1::DatasetService::WithCallbackMethod_UploadDataset<
          v1::DatasetService::WithCallbackMethod_DownloadDataset<v1::DatasetService::Service>> {
 public:
  // All must outlive this. `patience`: how long an upload may send nothing.
  DatasetServiceImpl(const JobManager* jobs, DatasetStore* datasets, HeavyWork* transfers,
                     absl::Duration patience)
      : jobs_(jobs), datasets_(datasets), transfers_(transfers), idle_uploads_(patience) {}

  grpc::ServerReadReactor<v1::UploadDatasetRequest>* UploadDataset(
      grpc::CallbackServerContext* context, v1::Dataset* response) override;
  grpc::Status GetDataset(grpc::ServerContext* context, const v1::GetDatasetRequest* request,
                          v1::Dataset* response) override;
  grpc::Status ListDatasets(grpc::ServerContext* context, const v1::ListDatasetsRequest* request,
                            v1::ListDatasetsResponse* response) override;
  grpc::Status DeleteDataset(grpc::ServerContext* context, const v1::DeleteDatasetRequest* request,
                             google::protobuf::Empty* response) override;
  grpc::ServerWriteReactor<v1::DownloadDatasetResponse>* DownloadDataset(
      grpc::CallbackServerContext* context, const v1::DownloadDatasetRequest* request) override;

 private:
  absl::StatusOr<v1::Dataset> Get(const std::string& name) const;
  absl::StatusOr<v1::ListDatasetsResponse> List(const v1::ListDatasetsRequest& request) const;
  absl::Status Delete(const std::string& name);
  // FAILED_PRECONDITION when a fit names the data set.
  absl::Status CheckUnused(const std::string& name) const;

  const JobManager* const jobs_;
  DatasetStore* const datasets_;
  HeavyWork* const transfers_;
  IdleWatch idle_uploads_;
};

}  // namespace aisivi::server
