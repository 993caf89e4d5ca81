#include "server/remote/remote_target.h"

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace aisivi::server {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

RemoteTarget RemoteTarget::Heeding(const std::atomic<bool>* cancel) const {
  DensityWait wait = wait_;
  wait.cancel = cancel;
  return RemoteTarget(density_, broker_, wait);
}

absl::Status RemoteTarget::Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z,
                                    Eigen::VectorXd* log_density, Eigen::MatrixXd* score) const {
  const int64_t count = z.cols();
  const ParameterMap& map = density_->map;
  if (broker_ == nullptr || lost_.load()) {
    return absl::UnavailableError("target: nobody serves its density");
  }
  Eigen::MatrixXd x;
  Eigen::VectorXd log_jacobian;
  map.Constrain(z, &x, &log_jacobian);
  std::vector<int64_t> outside;
  Eigen::MatrixXd stand_in;
  for (int64_t j = 0; j < count; ++j) {
    if (x.col(j).allFinite() && std::isfinite(log_jacobian[j])) continue;
    // The batch keeps its shape.
    if (outside.empty()) map.Constrain(Eigen::VectorXd::Zero(z.rows()), &stand_in, nullptr);
    outside.push_back(j);
    x.col(j) = stand_in;
  }
  Eigen::MatrixXd score_x;
  const absl::Status status =
      broker_->Evaluate(*density_, x, wait_, log_density, score != nullptr ? &score_x : nullptr);
  if (absl::IsUnavailable(status) && wait_.patience > absl::ZeroDuration()) lost_ = true;
  if (!status.ok()) return status;
  *log_density += log_jacobian;
  if (score != nullptr) map.PullBack(z, x, score_x, score);
  for (const int64_t j : outside) {
    (*log_density)[j] = -kInfinity;
    if (score != nullptr) score->col(j).setZero();
  }
  return absl::OkStatus();
}

absl::Status RemoteTarget::Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t /*seed*/,
                                     int64_t /*first*/, Eigen::MatrixXd* values) const {
  density_->map.Constrain(z, values, nullptr);
  return absl::OkStatus();
}

}  // namespace aisivi::server
