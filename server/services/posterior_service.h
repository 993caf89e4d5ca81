// PosteriorService: draws, summaries, evidence, densities and scores of ended fits.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "aisivi/v1/posterior_service.grpc.pb.h"
#include "engine/parallel/thread_pool.h"
#include "server/services/fitted_models.h"
#include "server/services/heavy_work.h"

namespace aisivi::server {

// A request is checked against what is known of its fit at once; the rest, the loading of the model
// included, is HeavyWork.
class PosteriorServiceImpl final : public v1::PosteriorService::CallbackService {
 public:
  // All must outlive this.
  PosteriorServiceImpl(FittedModels* models, ThreadPool* pool, HeavyWork* work,
                       int64_t max_request_bytes)
      : models_(models), pool_(pool), work_(work), max_request_bytes_(max_request_bytes) {}

  grpc::ServerWriteReactor<v1::DrawsChunk>* StreamDraws(
      grpc::CallbackServerContext* context, const v1::StreamDrawsRequest* request) override;
  grpc::ServerUnaryReactor* SummarizePosterior(grpc::CallbackServerContext* context,
                                               const v1::SummarizePosteriorRequest* request,
                                               v1::PosteriorSummary* response) override;
  grpc::ServerWriteReactor<v1::MatrixRows>* StreamCovariance(
      grpc::CallbackServerContext* context, const v1::StreamCovarianceRequest* request) override;
  grpc::ServerWriteReactor<v1::EstimateLogEvidenceResponse>* EstimateLogEvidence(
      grpc::CallbackServerContext* context, const v1::EstimateLogEvidenceRequest* request) override;
  grpc::ServerWriteReactor<v1::LogDensityChunk>* EvaluateLogDensity(
      grpc::CallbackServerContext* context, const v1::EvaluateLogDensityRequest* request) override;
  grpc::ServerWriteReactor<v1::ScoreChunk>* EvaluateScore(
      grpc::CallbackServerContext* context, const v1::EvaluateScoreRequest* request) override;

 private:
  absl::StatusOr<v1::PosteriorSummary> Summary(const v1::SummarizePosteriorRequest& request,
                                               const v1::Fit& fit, const std::atomic<bool>* cancel);
  FittedModels* const models_;
  ThreadPool* const pool_;
  HeavyWork* const work_;
  const int64_t max_request_bytes_;
};

}  // namespace aisivi::server
