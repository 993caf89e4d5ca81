// aisivi::Client: the service as C++ functions.
//
//   aisivi::Client client("127.0.0.1:50051");
//   aisivi::v1::Fit fit;
//   fit.mutable_target()->mutable_banana();
//   absl::StatusOr<aisivi::v1::Fit> created = client.CreateFit(fit);
//   absl::StatusOr<aisivi::v1::Fit> done = client.Watch(created->name());
//   absl::StatusOr<aisivi::Draws> draws = client.GetDraws(done->name(), {.count = 1000});
//
// Messages are those of proto/aisivi/v1, whose comments say what every field means. Batches of
// points are D×N, one point per column. Errors are those of the service with their details kept
// (client/status.h); UNAVAILABLE when it cannot be reached.
#pragma once

#include <grpcpp/channel.h>

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <ostream>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "aisivi/v1/dataset_service.grpc.pb.h"
#include "aisivi/v1/density_service.grpc.pb.h"
#include "aisivi/v1/fit_service.grpc.pb.h"
#include "aisivi/v1/posterior_service.grpc.pb.h"
#include "aisivi/v1/target_service.grpc.pb.h"
#include "client/density.h"

// What one side allocates with one alignment, the other must not free with another.
static_assert(EIGEN_MAX_ALIGN_BYTES == 64,
              "aisivi_client is built with EIGEN_MAX_ALIGN_BYTES=64: compile what links it with "
              "-DEIGEN_MAX_ALIGN_BYTES=64 (the CMake target aisivi_client does)");

namespace aisivi {

struct WatchOptions {
  int64_t after_sequence = 0;  // only events after this one
  // Ends the wait with CANCELLED; the fit goes on. May be requested from any thread.
  std::stop_token stop;
  // A broken connection is taken up again where it broke for as long as this. A server that says
  // that it shuts down ends the wait at once, with UNAVAILABLE.
  absl::Duration patience = absl::Seconds(30);
};

struct DrawsOptions {
  int64_t count = 1000;
  uint64_t seed = 0;
  int64_t first = 0;          // draws first … first + count − 1 of the sequence `seed` names
  bool densities = true;      // log p̃, log q̂ and log weights too
  int64_t inner_samples = 0;  // K for log q̂; 0: the fit's own
  // Importance resampling towards the posterior (see StreamDrawsRequest.resample);
  // FAILED_PRECONDITION where the weights cannot be trusted, unless `force`.
  bool resample = false;
  bool force = false;
};

// N draws from a fitted posterior q.
struct Draws {
  std::vector<std::string> names;  // D coordinates
  Eigen::MatrixXd z;               // D×N
  Eigen::VectorXd log_p;           // N; log p̃(z); empty without densities, like the next two
  Eigen::VectorXd log_q;           // N; log q̂₊(z)
  Eigen::VectorXd log_weight;      // N; log_p − log_q; empty for resampled draws
};

struct SummaryOptions {
  int64_t count = 0;  // draws; 0: the service's default
  uint64_t seed = 0;
  std::vector<double> probabilities;  // of the quantiles; empty: the service's default
};

struct EvidenceOptions {
  int64_t draws = 0;          // M; 0: the fit's own
  int64_t inner_samples = 0;  // K; 0: the fit's own
  uint64_t seed = 0;
};

struct LogDensity {
  Eigen::VectorXd log_q;  // N; the estimate log q̂
  Eigen::VectorXd lower;  // N; about two standard errors below it
  Eigen::VectorXd upper;  // N; about two standard errors and its bias above it
};

struct ScoreOptions {
  int64_t inner_samples = 0;  // K; 0: the fit's own
  uint64_t seed = 0;
  v1::InnerSampleSource source = v1::INNER_SAMPLE_SOURCE_PROPOSAL;
};

struct Score {
  Eigen::MatrixXd score;  // D×N; the estimate of ∇_z log q(z)
  Eigen::VectorXd log_q;  // N; log q̂
  Eigen::VectorXd ess;    // N; effective sample size of the inner weights, at most K
};

// The wire's matrix of points, N×D row after row, from D×N, and back.
v1::Matrix PointsToProto(const Eigen::Ref<const Eigen::MatrixXd>& points);
Eigen::MatrixXd PointsFromProto(const v1::Matrix& points);

// Thread safety: all methods may be called from several threads at once. Methods block.
class Client {
 public:
  // Connects when first used.
  explicit Client(const std::string& address);
  explicit Client(std::shared_ptr<grpc::ChannelInterface> channel);

  // Starts a fit and returns it with its name at once. A request_id makes a repetition harmless.
  // validate_only checks and creates nothing.
  absl::StatusOr<v1::Fit> CreateFit(const v1::Fit& fit, const std::string& request_id = "",
                                    bool validate_only = false) const;
  absl::StatusOr<v1::Fit> GetFit(const std::string& name) const;
  // The same with the vectors and matrices of its target.
  absl::StatusOr<v1::Fit> DownloadFit(const std::string& name) const;
  // The first `limit` fits that pass the filter (see ListFitsRequest.filter), the newest first
  // unless order_by says otherwise; limit 0: all.
  absl::StatusOr<std::vector<v1::Fit>> ListFits(const std::string& filter = "", int64_t limit = 0,
                                                const std::string& order_by = "") const;
  // Changes the fields that `paths` names, out of "display_name" and "labels". ABORTED when
  // fit.etag is set and the fit has changed since.
  absl::StatusOr<v1::Fit> UpdateFit(const v1::Fit& fit,
                                    const std::vector<std::string>& paths) const;
  absl::StatusOr<v1::Fit> Cancel(const std::string& name) const;
  absl::Status Delete(const std::string& name) const;
  // Follows a fit and returns it as it ended. `on_event` may be empty.
  absl::StatusOr<v1::Fit> Watch(
      const std::string& name,
      const std::function<void(const v1::WatchFitResponse&)>& on_event = {},
      const WatchOptions& options = {}) const;
  absl::StatusOr<v1::TrainingHistory> TrainingHistory(const std::string& name) const;

  absl::StatusOr<Draws> GetDraws(const std::string& name, const DrawsOptions& options = {}) const;
  // The same chunk by chunk, for more draws than one wants to hold. An error of `on_chunk` ends the
  // stream and is returned.
  absl::Status StreamDraws(
      const std::string& name, const DrawsOptions& options,
      const std::function<absl::Status(const v1::DrawsChunk&)>& on_chunk) const;
  absl::StatusOr<v1::PosteriorSummary> Summary(const std::string& name,
                                               const SummaryOptions& options = {}) const;
  // D×D, of `count` draws (0: the service's default) of the sequence `seed`.
  absl::StatusOr<Eigen::MatrixXd> Covariance(const std::string& name, int64_t count = 0,
                                             uint64_t seed = 0) const;
  // `on_progress` (draws done, of how many) may be empty.
  absl::StatusOr<v1::LogEvidence> Evidence(
      const std::string& name, const EvidenceOptions& options = {},
      const std::function<void(int64_t done, int64_t draws)>& on_progress = {}) const;
  // points: D×N.
  absl::StatusOr<LogDensity> EvaluateLogDensity(const std::string& name,
                                                const Eigen::Ref<const Eigen::MatrixXd>& points,
                                                int64_t inner_samples = 0, uint64_t seed = 0) const;
  // The score of q. points: D×N. The wait ends with CANCELLED after a request to `stop`, which may
  // come from any thread.
  absl::StatusOr<Score> EvaluateScore(const std::string& name,
                                      const Eigen::Ref<const Eigen::MatrixXd>& points,
                                      const ScoreOptions& options = {},
                                      const std::stop_token& stop = {}) const;

  absl::StatusOr<std::vector<v1::TargetInfo>> Targets() const;
  // What computes there.
  absl::StatusOr<v1::EngineInfo> Engine() const;
  // points: D×N, or D×0 for points of the service's choice.
  absl::StatusOr<v1::CheckTargetResponse> CheckTarget(
      const v1::TargetSpec& target, const Eigen::Ref<const Eigen::MatrixXd>& points) const;

  // Uploads comma-separated values (dataset_service.proto), from where `csv` stands to its end; it
  // must be able to seek. The same bytes again are the same data set, which keeps its display name.
  absl::StatusOr<v1::Dataset> UploadDataset(std::istream& csv,
                                            const std::string& display_name = "") const;
  absl::StatusOr<v1::Dataset> GetDataset(const std::string& name) const;
  // The newest `limit` data sets, without their columns; limit 0: all.
  absl::StatusOr<std::vector<v1::Dataset>> ListDatasets(int64_t limit = 0) const;
  absl::Status DeleteDataset(const std::string& name) const;
  // Writes the bytes as they were uploaded. After an error `out` holds some of them.
  absl::Status DownloadDataset(const std::string& name, std::ostream& out) const;

  // Serves a density (client/density.h) until options.stop, with OK, or until the service or a
  // broken connection ends it, with its error: INVALID_ARGUMENT for what is wrong with the
  // definition or an answer, NOT_FOUND when the service has forgotten the density. The function
  // runs on this thread.
  absl::Status ServeDensity(const DensityDefinition& definition,
                            const ServeOptions& options = {}) const;

 private:
  absl::StatusOr<bool> WatchOnce(const std::string& name,
                                 const std::function<void(const v1::WatchFitResponse&)>& on_event,
                                 const std::stop_token& stop, int64_t* sequence,
                                 v1::Fit* last) const;

  std::shared_ptr<v1::FitService::Stub> fits_;
  std::shared_ptr<v1::PosteriorService::Stub> posteriors_;
  std::shared_ptr<v1::TargetService::Stub> targets_;
  std::shared_ptr<v1::DatasetService::Stub> datasets_;
  std::shared_ptr<v1::DensityService::Stub> densities_;
};

}  // namespace aisivi
