// PosteriorService: draws, summaries, evidence and densities of ended fits.
#pragma once

#include <cstdint>

#include "aisivi/v1/posterior_service.grpc.pb.h"
#include "engine/parallel/thread_pool.h"
#include "server/services/fitted_models.h"
#include "server/services/heavy_work.h"

namespace aisivi::server {

class PosteriorServiceImpl final : public v1::PosteriorService::Service {
 public:
  // `models` and `pool` must outlive this.
  PosteriorServiceImpl(FittedModels* models, ThreadPool* pool, int64_t max_request_bytes);

  grpc::Status StreamDraws(grpc::ServerContext* context, const v1::StreamDrawsRequest* request,
                           grpc::ServerWriter<v1::DrawsChunk>* writer) override;
  grpc::Status SummarizePosterior(grpc::ServerContext* context,
                                  const v1::SummarizePosteriorRequest* request,
                                  v1::PosteriorSummary* response) override;
  grpc::Status EstimateLogEvidence(grpc::ServerContext* context,
                                   const v1::EstimateLogEvidenceRequest* request,
                                   v1::LogEvidence* response) override;
  grpc::Status EvaluateLogDensity(grpc::ServerContext* context,
                                  const v1::EvaluateLogDensityRequest* request,
                                  v1::EvaluateLogDensityResponse* response) override;

 private:
  absl::Status Stream(const grpc::ServerContext& context, const v1::StreamDrawsRequest& request,
                      grpc::ServerWriter<v1::DrawsChunk>* writer);
  absl::Status StreamResampled(const grpc::ServerContext& context,
                               const v1::StreamDrawsRequest& request, const FittedModel& fitted,
                               grpc::ServerWriter<v1::DrawsChunk>* writer);
  absl::StatusOr<v1::DrawsChunk> Chunk(const grpc::ServerContext& context,
                                       const v1::StreamDrawsRequest& request,
                                       const FittedModel& fitted, int64_t first, int64_t count);
  absl::StatusOr<v1::PosteriorSummary> Summary(const grpc::ServerContext& context,
                                               const v1::SummarizePosteriorRequest& request);
  absl::StatusOr<v1::LogEvidence> Evidence(const grpc::ServerContext& context,
                                           const v1::EstimateLogEvidenceRequest& request);
  absl::StatusOr<v1::EvaluateLogDensityResponse> LogDensity(
      const grpc::ServerContext& context, const v1::EvaluateLogDensityRequest& request);

  FittedModels* const models_;
  ThreadPool* const pool_;
  const int64_t max_request_bytes_;
  HeavyWorkLimit limit_;
};

}  // namespace aisivi::server
