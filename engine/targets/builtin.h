// What the built-in targets share: one base class, one form of table entry, a few constants.
//
// A built-in target is a file pair with a function `BuiltinSpec XxxSpec()`; registry.cc lists them.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/targets/parameters.h"
#include "engine/targets/registry.h"
#include "engine/targets/target.h"
#include "engine/transforms/parameter_map.h"

namespace aisivi {

inline constexpr double kLog2Pi = 1.8378770664093454835606594728112;

// A parameter that can be any number, or an array of such.
Parameter RealParameter(std::string name, std::vector<int64_t> shape = {});

// A positive number; z is its logarithm.
Parameter PositiveParameter(std::string name);

// log Γ(x) for x > 0; unlike std::lgamma it touches no global variable.
double LogGamma(double x);

// A target of fixed dimension. Immutable after construction, hence thread-safe.
class BuiltinTarget : public Target {
 public:
  // Of a vector "z" of that size.
  explicit BuiltinTarget(int dim) : BuiltinTarget({RealParameter("z", {dim})}) {}
  // z = the parameters' unconstrained coordinates. The parameters are such as ParameterMap::Make()
  // takes.
  explicit BuiltinTarget(std::vector<Parameter> parameters);

  int dim() const final { return static_cast<int>(map_.unconstrained()); }
  // The parameters' (ParameterMap), those of positive ones with "log_" before them.
  std::vector<std::string> CoordinateNames() const final;
  // The parameters, on their constrained scale. A target with derived variables appends them.
  std::vector<Variable> Variables() const override;
  absl::Status Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t seed, int64_t first,
                         Eigen::MatrixXd* values) const override;

  // Checks that z is D×N, sizes the results and calls EvaluateBatch.
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const final;

 private:
  // z: D×N with N ≥ 1. log_density has size N; score is null or D×N. Both arrive with undefined
  // values and must be filled.
  virtual void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z,
                             Eigen::VectorXd* log_density, Eigen::MatrixXd* score) const = 0;

  const ParameterMap map_;
};

// A TargetEntry before its parameters are checked in the common way.
struct BuiltinSpec {
  std::string name;
  std::string doc;
  std::string dimension_rule;
  std::vector<ParameterDoc> parameters;
  // Returns null exactly when it has recorded an error in the reader.
  std::function<std::unique_ptr<const Target>(ParameterReader&)> build;
  // Null when log Z is never known. Called only with a reader that is ok.
  std::function<std::optional<double>(ParameterReader&)> known_log_z;
  // As in TargetEntry.
  std::function<std::vector<Variable>(const Target&, const std::vector<std::string>&)> name_columns;
  TargetParameters example;
};

// The target's variables, the one called `name` with the columns for the labels of its elements. It
// has an element for each column.
std::vector<Variable> LabelVariable(const Target& target, const std::string& name,
                                    const std::vector<std::string>& columns);

// Wraps build and known_log_z so that they see parameters already checked against the table.
TargetEntry MakeEntry(BuiltinSpec spec);

}  // namespace aisivi
