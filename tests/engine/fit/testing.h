// Short fits and awkward targets.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/fit/fit.h"
#include "engine/fit/start.h"
#include "engine/model/model_state.h"
#include "engine/targets/registry.h"

namespace aisivi::test {

// The target with its defaults or, where parameters are required, its example; null when unknown.
inline std::unique_ptr<const Target> Make(const std::string& name) {
  const absl::StatusOr<const TargetEntry*> entry = FindTarget(name);
  if (!entry.ok()) return nullptr;
  absl::StatusOr<std::unique_ptr<const Target>> target = (*entry)->make({});
  if (!target.ok()) target = (*entry)->make((*entry)->example);
  return target.ok() ? *std::move(target) : nullptr;
}

// Two minutes of defaults in a second.
inline FitOptions Short(int64_t iterations = 30) {
  FitOptions options;
  options.iterations = iterations;
  options.points = 64;
  options.inner_samples = 32;
  options.hidden = 32;
  options.evidence_draws = 512;
  options.evidence_inner_samples = 32;
  options.reference_evaluations = 200'000;
  return options;
}

// A standard normal of two dimensions whose evaluation is spoiled by `spoil`, point by point.
class SpoiledTarget : public Target {
 public:
  using Spoil =
      std::function<void(const Eigen::VectorXd& z, double* log_p, Eigen::VectorXd* score)>;
  explicit SpoiledTarget(Spoil spoil) : spoil_(std::move(spoil)) {}

  int dim() const override { return 2; }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    log_density->resize(z.cols());
    if (score != nullptr) score->resize(2, z.cols());
    for (int64_t j = 0; j < z.cols(); ++j) {
      double log_p = -0.5 * z.col(j).squaredNorm() - std::log(2 * M_PI);
      Eigen::VectorXd s = -z.col(j);
      spoil_(z.col(j), &log_p, &s);
      (*log_density)[j] = log_p;
      if (score != nullptr) score->col(j) = s;
    }
    return absl::OkStatus();
  }

 private:
  Spoil spoil_;
};

// Cannot be evaluated: at once, or after so many calls. UNAVAILABLE says that it is lost.
class FailingTarget : public Target {
 public:
  // N((mean, mean), I) until then.
  explicit FailingTarget(int64_t good_calls, absl::StatusCode code = absl::StatusCode::kInternal,
                         double mean = 0)
      : left_(good_calls), code_(code), mean_(mean) {}
  int dim() const override { return 2; }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    ++calls_;
    if (--left_ < 0) return absl::Status(code_, "target: the file is gone");
    *log_density = -0.5 * (z.array() - mean_).matrix().colwise().squaredNorm();
    if (score != nullptr) *score = mean_ - z.array();
    return absl::OkStatus();
  }
  int64_t PointsPerCall(int64_t /*usual*/) const override { return kWholeBatch; }
  // So far.
  int64_t calls() const { return calls_; }

 private:
  mutable std::atomic<int64_t> left_;
  mutable std::atomic<int64_t> calls_{0};
  const absl::StatusCode code_;
  const double mean_;
};

// An untrained model of two components in two dimensions, with weights 1/4 and 3/4.
inline ModelState TwoComponents() {
  const auto target = Make("banana");
  FitOptions options = Short();
  options.warm_start = "none";
  ThreadPool pool(1);
  std::vector<std::string> log;
  ModelState model = StartModels(*target, options, pool, nullptr, &log)->starts.front().state;
  model.components.push_back(model.components.front());
  model.components[0].log_weight = std::log(0.25);
  model.components[1].log_weight = std::log(0.75);
  return model;
}

}  // namespace aisivi::test
