// A target whose density a process of the user's evaluates.
//
//   log p̃(y) = log p(x(y)) + log|J(y)|,  its parameters' transform applied here
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/targets/target.h"
#include "server/remote/density_broker.h"
#include "server/remote/remote_density.h"

namespace aisivi::server {

// Points whose parameters overflow are not asked for: their density is zero.
class RemoteTarget final : public Target {
 public:
  // Waits as `wait` says. The broker and wait.cancel must outlive this; where the broker is null
  // nobody answers.
  RemoteTarget(std::shared_ptr<const RemoteDensity> density, DensityBroker* broker,
               const DensityWait& wait)
      : density_(std::move(density)), broker_(broker), wait_(wait) {}

  // The same target, whose waits `cancel` ends.
  RemoteTarget Heeding(const std::atomic<bool>* cancel) const;

  int dim() const override { return static_cast<int>(density_->map.unconstrained()); }
  // UNAVAILABLE when nobody answers, from then on at once; ABORTED with what the process says;
  // CANCELLED.
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override;
  std::vector<std::string> CoordinateNames() const override {
    return density_->map.CoordinateNames();
  }
  std::vector<Variable> Variables() const override { return density_->map.Variables(); }
  absl::Status Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t seed, int64_t first,
                         Eigen::MatrixXd* values) const override;
  int64_t PointsPerCall(int64_t /*usual*/) const override { return kWholeBatch; }

 private:
  const std::shared_ptr<const RemoteDensity> density_;
  DensityBroker* const broker_;
  const DensityWait wait_;
  // A fit that has waited once in vain does not wait again.
  mutable std::atomic<bool> lost_{false};
};

}  // namespace aisivi::server
