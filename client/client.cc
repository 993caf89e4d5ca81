#include "client/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/call.h"
#include "client/request_size.h"
#include "client/status.h"

namespace aisivi {
namespace {

v1::DrawScale Scale(bool unconstrained) {
  return unconstrained ? v1::DRAW_SCALE_UNCONSTRAINED : v1::DRAW_SCALE_CONSTRAINED;
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(-1);
  // A fit waits for a density to come back: sooner than gRPC's second, and then two.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  // Arrays come in whole frames, read in large pieces.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1 << 20);
  arguments.SetInt(GRPC_ARG_TCP_READ_CHUNK_SIZE, 1 << 18);
  // A proxy for the outside world does not lead to this machine.
  if (absl::StartsWith(address, "127.") || absl::StartsWith(address, "localhost") ||
      absl::StartsWith(address, "[::1]")) {
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  }
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// Reads the stream that `start` opens to its end. An error of `on_message` ends it and is returned;
// `stop` ends it with CANCELLED.
template <typename Message>
absl::Status ReadAll(
    const std::function<std::unique_ptr<grpc::ClientReader<Message>>(grpc::ClientContext*)>& start,
    const std::function<absl::Status(const Message&)>& on_message,
    const std::stop_token& stop = {}) {
  grpc::ClientContext context;
  const std::stop_callback stopper(stop, [&context] { context.TryCancel(); });
  const std::unique_ptr<grpc::ClientReader<Message>> reader = start(&context);
  Message message;
  absl::Status consumed;
  while (consumed.ok() && reader->Read(&message)) {
    consumed = on_message(message);
    if (!consumed.ok()) context.TryCancel();
  }
  const grpc::Status finished = reader->Finish();
  return consumed.ok() ? FromGrpcStatus(finished) : consumed;
}

Eigen::VectorXd ToVector(const google::protobuf::RepeatedField<double>& values) {
  return Eigen::Map<const Eigen::VectorXd>(values.data(), values.size());
}

// The transport refuses a large message before the service can tell which field is to blame.
absl::Status ExplainSize(const absl::Status& status, const v1::CreateFitRequest& request) {
  constexpr size_t kSuspicious = size_t{4} << 20;
  if (!absl::IsResourceExhausted(status) || request.ByteSizeLong() < kSuspicious ||
      !absl::StrContains(status.message(), "larger than max")) {
    return status;
  }
  return absl::Status(status.code(),
                      absl::StrCat(LargestField(request), ": too large: the request has ",
                                   request.ByteSizeLong() >> 20, " MB (", status.message(), ")"));
}

}  // namespace

v1::Matrix PointsToProto(const Eigen::Ref<const Eigen::MatrixXd>& points) {
  v1::Matrix matrix;
  matrix.set_rows(static_cast<int32_t>(points.cols()));
  matrix.set_columns(static_cast<int32_t>(points.rows()));
  matrix.mutable_values()->Resize(static_cast<int>(points.size()), 0);
  Eigen::Map<Eigen::MatrixXd>(matrix.mutable_values()->mutable_data(), points.rows(),
                              points.cols()) = points;
  return matrix;
}

Eigen::MatrixXd PointsFromProto(const v1::Matrix& points) {
  if (int64_t{points.rows()} * points.columns() != points.values_size()) return {};
  return Eigen::Map<const Eigen::MatrixXd>(points.values().data(), points.columns(), points.rows());
}

Client::Client(const std::string& address) : Client(Connect(address)) {}

Client::Client(std::shared_ptr<grpc::ChannelInterface> channel)
    : fits_(v1::FitService::NewStub(channel)),
      posteriors_(v1::PosteriorService::NewStub(channel)),
      targets_(v1::TargetService::NewStub(channel)),
      datasets_(v1::DatasetService::NewStub(channel)),
      densities_(v1::DensityService::NewStub(channel)) {}

absl::StatusOr<v1::Fit> Client::CreateFit(const v1::Fit& fit, const std::string& request_id,
                                          bool validate_only) const {
  v1::CreateFitRequest request;
  *request.mutable_fit() = fit;
  request.set_request_id(request_id);
  request.set_validate_only(validate_only);
  absl::StatusOr<v1::Fit> created = Call(*fits_, &v1::FitService::Stub::CreateFit, request);
  if (!created.ok()) return ExplainSize(created.status(), request);
  return created;
}

absl::StatusOr<v1::Fit> Client::GetFit(const std::string& name) const {
  v1::GetFitRequest request;
  request.set_name(name);
  return Call(*fits_, &v1::FitService::Stub::GetFit, request);
}

absl::StatusOr<v1::Fit> Client::DownloadFit(const std::string& name) const {
  v1::DownloadFitRequest request;
  request.set_name(name);
  std::string bytes;
  const absl::Status status = ReadAll<v1::FitChunk>(
      [&](grpc::ClientContext* context) { return fits_->DownloadFit(context, request); },
      [&](const v1::FitChunk& chunk) {
        bytes += chunk.data();
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  v1::Fit fit;
  if (!fit.ParseFromString(bytes)) return absl::DataLossError("the service sent no fit");
  return fit;
}

absl::StatusOr<v1::Fit> Client::UpdateFit(const v1::Fit& fit,
                                          const std::vector<std::string>& paths) const {
  v1::UpdateFitRequest request;
  *request.mutable_fit() = fit;
  for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
  return Call(*fits_, &v1::FitService::Stub::UpdateFit, request);
}

absl::StatusOr<std::vector<v1::Fit>> Client::ListFits(const std::string& filter, int64_t limit,
                                                      const std::string& order_by) const {
  constexpr int64_t kLargestPage = 1000;
  std::vector<v1::Fit> fits;
  v1::ListFitsRequest request;
  request.set_filter(filter);
  request.set_order_by(order_by);
  do {
    const int64_t wanted = limit > 0 ? limit - static_cast<int64_t>(fits.size()) : kLargestPage;
    request.set_page_size(static_cast<int32_t>(std::min(wanted, kLargestPage)));
    absl::StatusOr<v1::ListFitsResponse> page =
        Call(*fits_, &v1::FitService::Stub::ListFits, request);
    if (!page.ok()) return page.status();
    for (v1::Fit& fit : *page->mutable_fits()) fits.push_back(std::move(fit));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() &&
           (limit <= 0 || static_cast<int64_t>(fits.size()) < limit));
  return fits;
}

absl::StatusOr<v1::Fit> Client::Cancel(const std::string& name) const {
  v1::CancelFitRequest request;
  request.set_name(name);
  return Call(*fits_, &v1::FitService::Stub::CancelFit, request);
}

absl::Status Client::Delete(const std::string& name) const {
  v1::DeleteFitRequest request;
  request.set_name(name);
  return Call(*fits_, &v1::FitService::Stub::DeleteFit, request).status();
}

absl::StatusOr<v1::TrainingHistory> Client::TrainingHistory(const std::string& name) const {
  v1::GetTrainingHistoryRequest request;
  request.set_name(name);
  return Call(*fits_, &v1::FitService::Stub::GetTrainingHistory, request);
}

absl::Status Client::StreamDraws(
    const std::string& name, const DrawsOptions& options,
    const std::function<absl::Status(const v1::DrawsChunk&)>& on_chunk) const {
  v1::StreamDrawsRequest request;
  request.set_name(name);
  request.set_count(options.count);
  request.set_seed(options.seed);
  request.set_first(options.first);
  request.set_omit_densities(!options.densities);
  request.set_inner_samples(options.inner_samples);
  request.set_resample(options.resample);
  request.set_force(options.force);
  request.set_scale(Scale(options.unconstrained));
  return ReadAll<v1::DrawsChunk>(
      [&](grpc::ClientContext* context) { return posteriors_->StreamDraws(context, request); },
      on_chunk);
}

absl::StatusOr<Draws> Client::GetDraws(const std::string& name, const DrawsOptions& options) const {
  Draws draws;
  std::vector<double> values, log_p, log_q, log_weight;
  const absl::Status status = StreamDraws(name, options, [&](const v1::DrawsChunk& chunk) {
    if (draws.names.empty()) {
      draws.names.assign(chunk.coordinate_names().begin(), chunk.coordinate_names().end());
    }
    values.insert(values.end(), chunk.values().begin(), chunk.values().end());
    log_p.insert(log_p.end(), chunk.log_p().begin(), chunk.log_p().end());
    log_q.insert(log_q.end(), chunk.log_q().begin(), chunk.log_q().end());
    log_weight.insert(log_weight.end(), chunk.log_weight().begin(), chunk.log_weight().end());
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  const auto dimension = static_cast<Eigen::Index>(draws.names.size());
  if (dimension == 0) return absl::InternalError("the service sent no draws");
  draws.z = Eigen::Map<const Eigen::MatrixXd>(values.data(), dimension,
                                              static_cast<Eigen::Index>(values.size()) / dimension);
  const auto vector = [](const std::vector<double>& from) -> Eigen::VectorXd {
    return Eigen::Map<const Eigen::VectorXd>(from.data(), static_cast<Eigen::Index>(from.size()));
  };
  draws.log_p = vector(log_p);
  draws.log_q = vector(log_q);
  draws.log_weight = vector(log_weight);
  return draws;
}

absl::StatusOr<v1::PosteriorSummary> Client::Summary(const std::string& name,
                                                     const SummaryOptions& options) const {
  v1::SummarizePosteriorRequest request;
  request.set_name(name);
  request.set_count(options.count);
  request.set_seed(options.seed);
  for (const double probability : options.probabilities) request.add_probabilities(probability);
  request.set_scale(Scale(options.unconstrained));
  return Call(*posteriors_, &v1::PosteriorService::Stub::SummarizePosterior, request);
}

absl::StatusOr<Eigen::MatrixXd> Client::Covariance(const std::string& name, int64_t count,
                                                   uint64_t seed, bool unconstrained) const {
  v1::StreamCovarianceRequest request;
  request.set_name(name);
  request.set_count(count);
  request.set_seed(seed);
  request.set_scale(Scale(unconstrained));
  Eigen::MatrixXd covariance;
  const absl::Status status = ReadAll<v1::MatrixRows>(
      [&](grpc::ClientContext* context) { return posteriors_->StreamCovariance(context, request); },
      [&](const v1::MatrixRows& part) {
        if (covariance.size() == 0) covariance.resize(part.rows(), part.columns());
        const int rows = part.columns() > 0 ? part.values_size() / part.columns() : 0;
        if (part.first() < 0 || part.first() + rows > covariance.rows() ||
            part.columns() != covariance.cols()) {
          return absl::DataLossError("the service sent rows that are not of the matrix");
        }
        covariance.middleRows(part.first(), rows) =
            Eigen::Map<const Eigen::MatrixXd>(part.values().data(), part.columns(), rows)
                .transpose();
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return covariance;
}

absl::StatusOr<v1::LogEvidence> Client::Evidence(
    const std::string& name, const EvidenceOptions& options,
    const std::function<void(int64_t done, int64_t draws)>& on_progress) const {
  v1::EstimateLogEvidenceRequest request;
  request.set_name(name);
  request.set_draws(options.draws);
  request.set_inner_samples(options.inner_samples);
  request.set_seed(options.seed);
  std::optional<v1::LogEvidence> evidence;
  const absl::Status status = ReadAll<v1::EstimateLogEvidenceResponse>(
      [&](grpc::ClientContext* context) {
        return posteriors_->EstimateLogEvidence(context, request);
      },
      [&](const v1::EstimateLogEvidenceResponse& response) {
        if (on_progress) on_progress(response.done(), response.draws());
        if (response.has_evidence()) evidence = response.evidence();
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  if (!evidence.has_value()) return absl::DataLossError("the service sent no estimate");
  return *evidence;
}

absl::StatusOr<LogDensity> Client::EvaluateLogDensity(
    const std::string& name, const Eigen::Ref<const Eigen::MatrixXd>& points, int64_t inner_samples,
    uint64_t seed) const {
  v1::EvaluateLogDensityRequest request;
  request.set_name(name);
  *request.mutable_points() = PointsToProto(points);
  request.set_inner_samples(inner_samples);
  request.set_seed(seed);
  v1::LogDensityChunk all;
  const absl::Status status = ReadAll<v1::LogDensityChunk>(
      [&](grpc::ClientContext* context) {
        return posteriors_->EvaluateLogDensity(context, request);
      },
      [&](const v1::LogDensityChunk& chunk) {
        all.mutable_log_q()->MergeFrom(chunk.log_q());
        all.mutable_lower()->MergeFrom(chunk.lower());
        all.mutable_upper()->MergeFrom(chunk.upper());
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return LogDensity{ToVector(all.log_q()), ToVector(all.lower()), ToVector(all.upper())};
}

absl::StatusOr<Score> Client::EvaluateScore(const std::string& name,
                                            const Eigen::Ref<const Eigen::MatrixXd>& points,
                                            const ScoreOptions& options,
                                            const std::stop_token& stop) const {
  v1::EvaluateScoreRequest request;
  request.set_name(name);
  *request.mutable_points() = PointsToProto(points);
  request.set_inner_samples(options.inner_samples);
  request.set_seed(options.seed);
  request.set_source(options.source);
  Score score{Eigen::MatrixXd(points.rows(), points.cols()), Eigen::VectorXd(points.cols()),
              Eigen::VectorXd(points.cols())};
  const absl::Status other_points = absl::InternalError("the service sent scores of other points");
  Eigen::Index done = 0;
  const absl::Status status = ReadAll<v1::ScoreChunk>(
      [&](grpc::ClientContext* context) { return posteriors_->EvaluateScore(context, request); },
      [&](const v1::ScoreChunk& chunk) {
        const Eigen::Index n = chunk.count();
        if (chunk.first() != done || done + n > points.cols() ||
            chunk.score_size() != n * points.rows() || chunk.log_q_size() != n ||
            chunk.ess_size() != n) {
          return other_points;
        }
        score.score.middleCols(done, n) =
            Eigen::Map<const Eigen::MatrixXd>(chunk.score().data(), points.rows(), n);
        score.log_q.segment(done, n) = ToVector(chunk.log_q());
        score.ess.segment(done, n) = ToVector(chunk.ess());
        done += n;
        return absl::OkStatus();
      },
      stop);
  if (!status.ok()) return status;
  if (done < points.cols()) return other_points;
  return score;
}

absl::StatusOr<std::vector<v1::TargetInfo>> Client::Targets() const {
  std::vector<v1::TargetInfo> targets;
  v1::ListTargetsRequest request;
  do {
    absl::StatusOr<v1::ListTargetsResponse> page =
        Call(*targets_, &v1::TargetService::Stub::ListTargets, request);
    if (!page.ok()) return page.status();
    for (v1::TargetInfo& target : *page->mutable_targets()) targets.push_back(std::move(target));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return targets;
}

absl::StatusOr<v1::EngineInfo> Client::Engine() const {
  v1::ListTargetsRequest request;
  request.set_page_size(1);
  const absl::StatusOr<v1::ListTargetsResponse> page =
      Call(*targets_, &v1::TargetService::Stub::ListTargets, request);
  if (!page.ok()) return page.status();
  return page->engine();
}

absl::StatusOr<v1::CheckTargetResponse> Client::CheckTarget(
    const v1::TargetSpec& target, const Eigen::Ref<const Eigen::MatrixXd>& points) const {
  v1::CheckTargetRequest request;
  *request.mutable_target() = target;
  if (points.cols() > 0) *request.mutable_points() = PointsToProto(points);
  return Call(*targets_, &v1::TargetService::Stub::CheckTarget, request);
}

}  // namespace aisivi
