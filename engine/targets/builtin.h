// What the built-in targets share: one base class, one form of table entry, a few constants.
//
// A built-in target is a file pair with a function `BuiltinSpec XxxSpec()`; registry.cc lists them.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/targets/parameters.h"
#include "engine/targets/registry.h"
#include "engine/targets/target.h"

namespace aisivi {

inline constexpr double kLog2Pi = 1.8378770664093454835606594728112;

// "PREFIX.1" … "PREFIX.COUNT".
std::vector<std::string> NumberedNames(std::string_view prefix, int count);

// "PREFIX[LABEL]" for each label.
std::vector<std::string> LabelledNames(std::string_view prefix,
                                       const std::vector<std::string>& labels);

// log Γ(x) for x > 0; unlike std::lgamma it touches no global variable.
double LogGamma(double x);

// A target of fixed dimension. Immutable after construction, hence thread-safe.
class BuiltinTarget : public Target {
 public:
  explicit BuiltinTarget(int dim) : dim_(dim) {}
  BuiltinTarget(int dim, std::vector<std::string> names) : dim_(dim), names_(std::move(names)) {}

  int dim() const final { return dim_; }
  std::vector<std::string> CoordinateNames() const final;

  // Checks that z is D×N, sizes the results and calls EvaluateBatch.
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const final;

 private:
  // z: D×N with N ≥ 1. log_density has size N; score is null or D×N. Both arrive with undefined
  // values and must be filled.
  virtual void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z,
                             Eigen::VectorXd* log_density, Eigen::MatrixXd* score) const = 0;

  int dim_;
  std::vector<std::string> names_;  // empty: "z.1" …
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
  std::function<std::vector<std::string>(const Target&, const std::vector<std::string>&)>
      name_columns;
  TargetParameters example;
};

// Wraps build and known_log_z so that they see parameters already checked against the table.
TargetEntry MakeEntry(BuiltinSpec spec);

}  // namespace aisivi
