#include "engine/targets/renamed.h"

#include <utility>

namespace aisivi {
namespace {

class RenamedTarget final : public Target {
 public:
  RenamedTarget(std::unique_ptr<const Target> target, std::vector<std::string> names)
      : target_(std::move(target)), names_(std::move(names)) {}

  int dim() const override { return target_->dim(); }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    return target_->Evaluate(z, log_density, score);
  }
  std::vector<std::string> CoordinateNames() const override { return names_; }

 private:
  const std::unique_ptr<const Target> target_;
  const std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<const Target> Renamed(std::unique_ptr<const Target> target,
                                      std::vector<std::string> names) {
  return std::make_unique<RenamedTarget>(std::move(target), std::move(names));
}

}  // namespace aisivi
