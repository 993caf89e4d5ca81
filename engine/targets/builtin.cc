#include "engine/targets/builtin.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/transforms/names.h"

namespace aisivi {
namespace {

absl::Status CheckRows(const Eigen::Ref<const Eigen::MatrixXd>& z, int dim) {
  if (z.rows() == dim) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("z: points have %d coordinates, the target has %d", z.rows(), dim));
}

}  // namespace

Parameter RealParameter(std::string name, std::vector<int64_t> shape) {
  return {std::move(name), std::move(shape), {}};
}

Parameter PositiveParameter(std::string name) {
  Constraint constraint;
  constraint.kind = ConstraintKind::kLower;
  return {std::move(name), {}, constraint};
}

double LogGamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

BuiltinTarget::BuiltinTarget(std::vector<Parameter> parameters)
    : map_(*ParameterMap::Make(std::move(parameters))) {}

std::vector<std::string> BuiltinTarget::CoordinateNames() const {
  std::vector<std::string> names;
  for (const Parameter& parameter : map_.parameters()) {
    const bool logarithm = parameter.constraint.kind == ConstraintKind::kLower;
    const Variable variable{parameter.name, parameter.shape, {}, false};
    for (const std::string& name : ElementNames(variable)) {
      names.push_back(absl::StrCat(logarithm ? "log_" : "", name));
    }
  }
  return names;
}

std::vector<Variable> BuiltinTarget::Variables() const { return map_.Variables(); }

absl::Status BuiltinTarget::Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t /*seed*/,
                                      int64_t /*first*/, Eigen::MatrixXd* values) const {
  if (absl::Status status = CheckRows(z, dim()); !status.ok()) return status;
  map_.Constrain(z, values, nullptr);
  return absl::OkStatus();
}

absl::Status BuiltinTarget::Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z,
                                     Eigen::VectorXd* log_density, Eigen::MatrixXd* score) const {
  if (absl::Status status = CheckRows(z, dim()); !status.ok()) return status;
  log_density->resize(z.cols());
  if (score != nullptr) score->resize(dim(), z.cols());
  if (z.cols() > 0) EvaluateBatch(z, log_density, score);
  return absl::OkStatus();
}

std::vector<Variable> LabelVariable(const Target& target, const std::string& name,
                                    const std::vector<std::string>& columns) {
  std::vector<Variable> variables = target.Variables();
  for (Variable& variable : variables) {
    if (variable.name == name) variable.labels = columns;
  }
  return variables;
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
