#include "engine/targets/renamed.h"

#include <string>
#include <utility>

#include "engine/transforms/names.h"

namespace aisivi {
namespace {

class RenamedTarget final : public Target {
 public:
  RenamedTarget(std::unique_ptr<const Target> target, std::vector<Variable> variables)
      : target_(std::move(target)), variables_(std::move(variables)) {}

  int dim() const override { return target_->dim(); }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    return target_->Evaluate(z, log_density, score);
  }
  std::vector<std::string> CoordinateNames() const override {
    std::vector<std::string> names = target_->CoordinateNames();
    size_t first = 0;
    for (const Variable& variable : variables_) {
      const std::vector<std::string> elements = ElementNames(variable);
      for (size_t i = 0; i < elements.size() && !variable.labels.empty(); ++i) {
        names[first + i] = elements[i];
      }
      first += elements.size();
    }
    return names;
  }
  std::vector<Variable> Variables() const override { return variables_; }
  absl::Status Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t seed, int64_t first,
                         Eigen::MatrixXd* values) const override {
    return target_->Constrain(z, seed, first, values);
  }
  int64_t PointsPerCall(int64_t usual) const override { return target_->PointsPerCall(usual); }

 private:
  const std::unique_ptr<const Target> target_;
  const std::vector<Variable> variables_;
};

}  // namespace

std::unique_ptr<const Target> Renamed(std::unique_ptr<const Target> target,
                                      std::vector<Variable> variables) {
  return std::make_unique<RenamedTarget>(std::move(target), std::move(variables));
}

}  // namespace aisivi
