#include "client/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/call.h"
#include "client/request_size.h"
#include "client/status.h"

namespace aisivi {
namespace {

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  // A proxy for the outside world does not lead to this machine.
  if (absl::StartsWith(address, "127.") || absl::StartsWith(address, "localhost") ||
      absl::StartsWith(address, "[::1]")) {
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  }
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
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
      datasets_(v1::DatasetService::NewStub(channel)) {}

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

absl::StatusOr<v1::Fit> Client::GetFit(const std::string& name, v1::FitView view) const {
  v1::GetFitRequest request;
  request.set_name(name);
  request.set_view(view);
  return Call(*fits_, &v1::FitService::Stub::GetFit, request);
}

absl::StatusOr<std::vector<v1::Fit>> Client::ListFits(const std::string& filter,
                                                      int64_t limit) const {
  constexpr int64_t kLargestPage = 1000;
  std::vector<v1::Fit> fits;
  v1::ListFitsRequest request;
  request.set_filter(filter);
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
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::DrawsChunk>> reader =
      posteriors_->StreamDraws(&context, request);
  v1::DrawsChunk chunk;
  absl::Status consumed;
  while (consumed.ok() && reader->Read(&chunk)) {
    consumed = on_chunk(chunk);
    if (!consumed.ok()) context.TryCancel();
  }
  const grpc::Status finished = reader->Finish();
  return consumed.ok() ? FromGrpcStatus(finished) : consumed;
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
  request.set_covariance(options.covariance);
  return Call(*posteriors_, &v1::PosteriorService::Stub::SummarizePosterior, request);
}

absl::StatusOr<v1::LogEvidence> Client::Evidence(const std::string& name,
                                                 const EvidenceOptions& options) const {
  v1::EstimateLogEvidenceRequest request;
  request.set_name(name);
  request.set_draws(options.draws);
  request.set_inner_samples(options.inner_samples);
  request.set_seed(options.seed);
  return Call(*posteriors_, &v1::PosteriorService::Stub::EstimateLogEvidence, request);
}

absl::StatusOr<LogDensity> Client::EvaluateLogDensity(
    const std::string& name, const Eigen::Ref<const Eigen::MatrixXd>& points, int64_t inner_samples,
    uint64_t seed) const {
  v1::EvaluateLogDensityRequest request;
  request.set_name(name);
  *request.mutable_points() = PointsToProto(points);
  request.set_inner_samples(inner_samples);
  request.set_seed(seed);
  absl::StatusOr<v1::EvaluateLogDensityResponse> response =
      Call(*posteriors_, &v1::PosteriorService::Stub::EvaluateLogDensity, request);
  if (!response.ok()) return response.status();
  return LogDensity{ToVector(response->log_q()), ToVector(response->lower()),
                    ToVector(response->upper())};
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

absl::StatusOr<v1::ServerInfo> Client::ServerInfo() const {
  v1::ListTargetsRequest request;
  request.set_page_size(1);
  const absl::StatusOr<v1::ListTargetsResponse> page =
      Call(*targets_, &v1::TargetService::Stub::ListTargets, request);
  if (!page.ok()) return page.status();
  return page->server();
}

absl::StatusOr<v1::CheckTargetResponse> Client::CheckTarget(
    const v1::TargetSpec& target, const Eigen::Ref<const Eigen::MatrixXd>& points) const {
  v1::CheckTargetRequest request;
  *request.mutable_target() = target;
  if (points.cols() > 0) *request.mutable_points() = PointsToProto(points);
  return Call(*targets_, &v1::TargetService::Stub::CheckTarget, request);
}

}  // namespace aisivi
