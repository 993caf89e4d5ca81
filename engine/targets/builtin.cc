#include "engine/targets/builtin.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace aisivi {

std::vector<std::string> NumberedNames(std::string_view prefix, int count) {
  std::vector<std::string> names;
  names.reserve(count);
  for (int i = 1; i <= count; ++i) {
    names.push_back(absl::StrCat(absl::string_view(prefix.data(), prefix.size()), ".", i));
  }
  return names;
}

std::vector<std::string> LabelledNames(std::string_view prefix,
                                       const std::vector<std::string>& labels) {
  std::vector<std::string> names;
  names.reserve(labels.size());
  for (const std::string& label : labels) {
    names.push_back(absl::StrCat(absl::string_view(prefix.data(), prefix.size()), "[", label, "]"));
  }
  return names;
}

double LogGamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

std::vector<std::string> BuiltinTarget::CoordinateNames() const {
  return names_.empty() ? Target::CoordinateNames() : names_;
}

absl::Status BuiltinTarget::Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z,
                                     Eigen::VectorXd* log_density, Eigen::MatrixXd* score) const {
  if (z.rows() != dim_) {
    return absl::InvalidArgumentError(
        absl::StrFormat("z: points have %d coordinates, the target has %d", z.rows(), dim_));
  }
  log_density->resize(z.cols());
  if (score != nullptr) score->resize(dim_, z.cols());
  if (z.cols() > 0) EvaluateBatch(z, log_density, score);
  return absl::OkStatus();
}

TargetEntry MakeEntry(BuiltinSpec spec) {
  TargetEntry entry;
  entry.name = std::move(spec.name);
  entry.doc = std::move(spec.doc);
  entry.dimension_rule = std::move(spec.dimension_rule);
  entry.parameters = spec.parameters;
  entry.name_columns = std::move(spec.name_columns);
  entry.example = std::move(spec.example);
  entry.make = [docs = spec.parameters, build = std::move(spec.build)](
                   const TargetParameters& bag) -> absl::StatusOr<std::unique_ptr<const Target>> {
    ParameterReader reader(docs, bag);
    if (!reader.ok()) return reader.status();
    std::unique_ptr<const Target> target = build(reader);
    if (!reader.ok()) return reader.status();
    return target;
  };
  entry.known_log_z = [docs = std::move(spec.parameters), known = std::move(spec.known_log_z)](
                          const TargetParameters& bag) -> std::optional<double> {
    ParameterReader reader(docs, bag);
    if (!reader.ok() || !known) return std::nullopt;
    std::optional<double> log_z = known(reader);
    return reader.ok() ? log_z : std::nullopt;
  };
  return entry;
}

}  // namespace aisivi
