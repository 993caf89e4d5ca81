// FitService: requests are checked and handed to the JobManager.
#pragma once

#include <cstdint>

#include "aisivi/v1/fit_service.grpc.pb.h"
#include "server/jobs/job_manager.h"
#include "server/services/heavy_work.h"

namespace aisivi::server {

// WatchFit takes no thread per watcher, and what reads or writes all that is stored of a fit, or
// checks its data, does so off the threads of RPCs; the other methods are short.
class FitServiceImpl final
    : public v1::FitService::WithCallbackMethod_CreateFit<
          v1::FitService::WithCallbackMethod_DownloadFit<
              v1::FitService::WithCallbackMethod_UpdateFit<
                  v1::FitService::WithCallbackMethod_GetTrainingHistory<
                      v1::FitService::WithCallbackMethod_WatchFit<v1::FitService::Service>>>>> {
 public:
  // All must outlive this: `checks` makes and changes fits, `transfers` sends them, so that those
  // who read slowly keep nobody from creating. Larger requests than `max_request_bytes` are
  // refused.
  FitServiceImpl(JobManager* jobs, const TargetSources& sources, HeavyWork* checks,
                 HeavyWork* transfers, int64_t max_request_bytes)
      : jobs_(jobs),
        sources_(sources),
        checks_(checks),
        transfers_(transfers),
        max_request_bytes_(max_request_bytes) {}

  grpc::ServerUnaryReactor* CreateFit(grpc::CallbackServerContext* context,
                                      const v1::CreateFitRequest* request,
                                      v1::Fit* response) override;
  grpc::Status GetFit(grpc::ServerContext* context, const v1::GetFitRequest* request,
                      v1::Fit* response) override;
  grpc::ServerWriteReactor<v1::FitChunk>* DownloadFit(
      grpc::CallbackServerContext* context, const v1::DownloadFitRequest* request) override;
  grpc::ServerUnaryReactor* UpdateFit(grpc::CallbackServerContext* context,
                                      const v1::UpdateFitRequest* request,
                                      v1::Fit* response) override;
  grpc::Status ListFits(grpc::ServerContext* context, const v1::ListFitsRequest* request,
                        v1::ListFitsResponse* response) override;
  grpc::Status CancelFit(grpc::ServerContext* context, const v1::CancelFitRequest* request,
                         v1::Fit* response) override;
  grpc::Status DeleteFit(grpc::ServerContext* context, const v1::DeleteFitRequest* request,
                         google::protobuf::Empty* response) override;
  grpc::ServerUnaryReactor* GetTrainingHistory(grpc::CallbackServerContext* context,
                                               const v1::GetTrainingHistoryRequest* request,
                                               v1::TrainingHistory* response) override;
  grpc::ServerWriteReactor<v1::WatchFitResponse>* WatchFit(
      grpc::CallbackServerContext* context, const v1::WatchFitRequest* request) override;

 private:
  absl::StatusOr<v1::Fit> Create(const v1::CreateFitRequest& request,
                                 const std::atomic<bool>* cancel);
  absl::StatusOr<v1::Fit> Update(const v1::UpdateFitRequest& request);
  absl::StatusOr<v1::ListFitsResponse> List(const v1::ListFitsRequest& request);

  JobManager* const jobs_;
  const TargetSources sources_;
  HeavyWork* const checks_;
  HeavyWork* const transfers_;
  const int64_t max_request_bytes_;
};

}  // namespace aisivi::server
