// The list of built-in targets: what each is, what parameters it takes, and how to make one.
//
// A new target is one file pair in this folder and one line in registry.cc. Names of targets and
// parameters are those of the public API (snake_case); the server converts by name.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/targets/target.h"

namespace aisivi {

// A parameter's value: a number, a vector, a matrix, or a list of matrices.
using ParameterValue =
    std::variant<double, Eigen::VectorXd, Eigen::MatrixXd, std::vector<Eigen::MatrixXd>>;
using TargetParameters = std::map<std::string, ParameterValue, std::less<>>;

enum class ParameterKind { kNumber, kInteger, kVector, kMatrix, kMatrixList };

struct ParameterDoc {
  std::string name;
  ParameterKind kind;
  std::string doc;            // what, shape, unit and range
  std::string default_value;  // as text; empty when the parameter is required
};

struct TargetEntry {
  std::string name;
  std::string doc;             // the density with its constants, and its source
  std::string dimension_rule;  // for instance "2", "columns of x"
  std::vector<ParameterDoc> parameters;
  // Builds a target. INVALID_ARGUMENT, with a line "PARAMETER: …" for each that is wrong, for bad
  // input (unknown name, wrong kind or shape, not finite, out of range). Bounds every size so that
  // no input can exhaust memory.
  std::function<absl::StatusOr<std::unique_ptr<const Target>>(const TargetParameters&)> make;
  // The exact log Z for these (valid) parameters where it is known.
  std::function<std::optional<double>(const TargetParameters&)> known_log_z;
  // The target's variables when the P columns of x have names: labels on those that have an index
  // for the columns, which are the coordinates of z untransformed. Null for targets without x. The
  // labels are unique when the names are.
  std::function<std::vector<Variable>(const Target& target,
                                      const std::vector<std::string>& columns)>
      name_columns;
  // A small valid instance, for conformance tests and documentation.
  TargetParameters example;
};

// All targets, sorted by name. Thread-safe; lives for the whole process.
const std::vector<TargetEntry>& TargetRegistry();

// The entry of that name. NOT_FOUND (the message lists the names) otherwise.
absl::StatusOr<const TargetEntry*> FindTarget(std::string_view name);

// FindTarget + make.
absl::StatusOr<std::unique_ptr<const Target>> MakeTarget(std::string_view name,
                                                         const TargetParameters& parameters);

}  // namespace aisivi
