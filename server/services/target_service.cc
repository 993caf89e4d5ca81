#include "server/services/target_service.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/targets/registry.h"
#include "server/convert/engine_info.h"
#include "server/convert/target_data.h"
#include "server/convert/target_spec.h"
#include "server/services/heavy_reactor.h"
#include "server/services/paging.h"
#include "server/services/reply.h"
#include "server/services/request_size.h"
#include "server/services/target_check.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kDefaultPoints = 8;
constexpr int64_t kMaxPoints = 10'000;
// Three matrices of them come back, in a reply below the 4 MB that clients accept by default.
constexpr int64_t kMaxEntries = 125'000;
// Multiply-adds: a few minutes of one core.
constexpr double kMaxCheckWork = 1e12;
constexpr double kDefaultStep = 1e-5;
constexpr double kMinStep = 1e-9;
constexpr double kMaxStep = 0.1;
constexpr double kTolerance = 1e-4;

v1::TargetParameter::Kind ToMessage(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::kNumber:
      return v1::TargetParameter::KIND_NUMBER;
    case ParameterKind::kInteger:
      return v1::TargetParameter::KIND_INTEGER;
    case ParameterKind::kVector:
      return v1::TargetParameter::KIND_VECTOR;
    case ParameterKind::kMatrix:
      return v1::TargetParameter::KIND_MATRIX;
    case ParameterKind::kMatrixList:
      return v1::TargetParameter::KIND_MATRIX_LIST;
  }
  return v1::TargetParameter::KIND_UNSPECIFIED;
}

v1::TargetInfo ToMessage(const TargetEntry& entry) {
  v1::TargetInfo info;
  info.set_name(entry.name);
  info.set_doc(entry.doc);
  info.set_dimension_rule(entry.dimension_rule);
  info.set_takes_dataset(TakesDataset(entry.name));
  bool all_optional = true;
  for (const ParameterDoc& parameter : entry.parameters) {
    v1::TargetParameter* message = info.add_parameters();
    message->set_name(parameter.name);
    message->set_kind(ToMessage(parameter.kind));
    message->set_doc(parameter.doc);
    message->set_default_value(parameter.default_value);
    message->set_required(parameter.default_value.empty());
    all_optional &= !parameter.default_value.empty();
  }
  if (all_optional && entry.known_log_z) {
    if (const std::optional<double> log_z = entry.known_log_z({})) info.set_known_log_z(*log_z);
  }
  return info;
}

// What the registry holds, described once: some log Z take computing.
const std::vector<v1::TargetInfo>& Infos() {
  static const auto* const kInfos = [] {
    auto* infos = new std::vector<v1::TargetInfo>;
    for (const TargetEntry& entry : TargetRegistry()) infos->push_back(ToMessage(entry));
    return infos;
  }();
  return *kInfos;
}

absl::StatusOr<v1::ListTargetsResponse> List(const v1::ListTargetsRequest& request) {
  absl::StatusOr<int> page_size = PageSize(request.page_size(), kDefaultPageSize);
  if (!page_size.ok()) return page_size.status();
  absl::StatusOr<int64_t> position = PagePosition(request.page_token(), "targets");
  if (!position.ok()) return position.status();
  const auto size = static_cast<int64_t>(Infos().size());
  const int64_t first = std::min(*position, size);
  const int64_t end = std::min(first + *page_size, size);
  v1::ListTargetsResponse response;
  for (int64_t i = first; i < end; ++i) *response.add_targets() = Infos()[i];
  if (end < size) response.set_next_page_token(PageToken(end, "targets"));
  *response.mutable_engine() = ThisEngine();
  return response;
}

// Multiply-adds of the differences at `count` points: 2 D evaluations each, and an evaluation reads
// every number of the target.
double CheckWork(double numbers, int dim, double count) {
  return 2.0 * dim * count * std::max<double>(dim, numbers);
}

// D×N. `numbers`: that an evaluation reads.
absl::StatusOr<Eigen::MatrixXd> Points(const v1::CheckTargetRequest& request, double numbers,
                                       int dim) {
  const double most = kMaxCheckWork / CheckWork(numbers, dim, 1);
  if (most < 1) {
    return FieldError("target", absl::StrCat("is too large to be checked: differences in ", dim,
                                             " coordinates take minutes for one point"));
  }
  if (!request.has_points()) {
    std::mt19937_64 engine(1);
    std::normal_distribution<double> normal;
    const int count = static_cast<int>(
        std::min<double>({kDefaultPoints, static_cast<double>(kMaxEntries / dim), most}));
    return Eigen::MatrixXd(
        Eigen::MatrixXd::NullaryExpr(dim, count, [&] { return normal(engine); }));
  }
  absl::StatusOr<Eigen::MatrixXd> points = ToMatrix(request.points(), "points");
  if (!points.ok()) return points.status();
  if (points->cols() != dim) {
    return FieldError("points", absl::StrCat("has ", points->cols(), " columns; the target has ",
                                             dim, " coordinates"));
  }
  if (points->rows() > kMaxPoints || points->size() > kMaxEntries) {
    return FieldError("points",
                      absl::StrCat("at most ", kMaxPoints, " rows and ", kMaxEntries, " entries"));
  }
  if (static_cast<double>(points->rows()) > most) {
    return FieldsError({"points", "target"},
                       absl::StrCat("a target of this size can be checked at ",
                                    static_cast<int64_t>(most), " points at once"));
  }
  return Eigen::MatrixXd(points->transpose());
}

v1::CheckTargetResponse ToMessage(const TargetCheck& check, const Target& target,
                                  const Eigen::MatrixXd& points) {
  v1::CheckTargetResponse response;
  response.set_dimension(target.dim());
  for (std::string& name : target.CoordinateNames()) {
    response.add_coordinate_names(std::move(name));
  }
  *response.mutable_points() = ToMatrixMessage(points.transpose());
  response.mutable_log_density()->Add(check.log_density.data(),
                                      check.log_density.data() + check.log_density.size());
  *response.mutable_scores() = ToMatrixMessage(check.scores.transpose());
  *response.mutable_finite_differences() = ToMatrixMessage(check.differences.transpose());
  response.set_max_relative_error(check.max_relative_error);
  response.set_non_finite(check.non_finite);
  response.set_passed(check.max_relative_error <= kTolerance && check.non_finite < points.size());
  return response;
}

absl::StatusOr<v1::CheckTargetResponse> Check(const v1::CheckTargetRequest& request,
                                              const TargetSources& sources, double step,
                                              const std::atomic<bool>* cancel) {
  TargetSources own = sources;
  own.cancel = cancel;
  absl::StatusOr<std::unique_ptr<const Target>> target =
      BuildTarget(request.target(), "target", own);
  if (!target.ok()) return target.status();
  absl::StatusOr<Eigen::MatrixXd> points =
      Points(request, TargetNumbers(request.target(), sources.datasets), (*target)->dim());
  if (!points.ok()) return points.status();
  absl::StatusOr<TargetCheck> check = CheckScores(**target, *points, step, cancel);
  if (absl::IsUnavailable(check.status())) {
    return NotAllowed("TARGET_OFFLINE", "target", check.status().message());
  }
  if (!check.ok()) return check.status();
  v1::CheckTargetResponse response = ToMessage(*check, **target, *points);
  if (const std::optional<double> log_z = KnownLogZ(request.target(), sources)) {
    response.set_known_log_z(*log_z);
  }
  return response;
}

}  // namespace

grpc::Status TargetServiceImpl::ListTargets(grpc::ServerContext* context,
                                            const v1::ListTargetsRequest* request,
                                            v1::ListTargetsResponse* response) {
  return Reply(List(*request), response);
}

grpc::ServerUnaryReactor* TargetServiceImpl::CheckTarget(grpc::CallbackServerContext* context,
                                                         const v1::CheckTargetRequest* request,
                                                         v1::CheckTargetResponse* response) {
  if (absl::Status status = CheckRequestSize(*request, max_request_bytes_); !status.ok()) {
    return Refuse(context, status);
  }
  const double step = request->step() == 0 ? kDefaultStep : request->step();
  if (!(step >= kMinStep && step <= kMaxStep)) {
    return Refuse(context, FieldError("step", absl::StrCat(step, " is not in [", kMinStep, ", ",
                                                           kMaxStep, "]")));
  }
  return StartHeavy(work_, response, [this, request, step](const std::atomic<bool>* cancel) {
    return Check(*request, sources_, step, cancel);
  });
}

}  // namespace aisivi::server
