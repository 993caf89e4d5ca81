// A target with one point at which it is nothing.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <utility>

#include "engine/targets/target.h"

namespace aisivi::test {

// `whole`, which must outlive it, but log p̃ = −∞ and a score of NaN at `hole`; nowhere when that
// is empty.
class HoleTarget final : public Target {
 public:
  explicit HoleTarget(const Target& whole) : whole_(whole) {}

  int dim() const override { return whole_.dim(); }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    absl::Status status = whole_.Evaluate(z, log_density, score);
    for (int64_t j = 0; j < z.cols() && hole.size() > 0; ++j) {
      if (z.col(j) != hole) continue;
      (*log_density)[j] = -std::numeric_limits<double>::infinity();
      if (score != nullptr) score->col(j).setConstant(std::numeric_limits<double>::quiet_NaN());
    }
    return status;
  }

  Eigen::VectorXd hole;

 private:
  const Target& whole_;
};

}  // namespace aisivi::test
