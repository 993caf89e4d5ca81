// Reads typed parameters out of a bag, with errors that name the parameter and the place in it.
//
// Every message begins "PARAMETER: ", for instance "x: row 3 column 2 is not finite"; several stand
// on lines of their own.
#pragma once

#include <Eigen/Core>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/targets/registry.h"

namespace aisivi {

inline constexpr int kMaxDimension = 10000;
inline constexpr double kMaxNumbers = 1e8;  // in all parameters of a target together

// Limits for scales, variances and precisions: far beyond any use, but safe from overflow.
inline constexpr double kSmallestScale = 1e-12;
inline constexpr double kLargestScale = 1e12;

// Keeps the first error of each parameter; after it every getter returns some value of the right
// kind, so that a builder may read everything and test ok() once. Lives no longer than the docs and
// the bag.
class ParameterReader {
 public:
  // Checks all that the table says: names, kinds, required parameters, finite numbers, total size.
  // An empty vector, matrix or list counts as not given.
  ParameterReader(const std::vector<ParameterDoc>& docs, const TargetParameters& bag);
  // Both are kept by reference.
  ParameterReader(std::vector<ParameterDoc>&&, const TargetParameters&) = delete;
  ParameterReader(const std::vector<ParameterDoc>&, TargetParameters&&) = delete;

  bool ok() const { return errors_.empty(); }
  // INVALID_ARGUMENT with a line "NAME: MESSAGE" for each parameter that is wrong.
  absl::Status status() const;
  // Records an error of the parameter unless it has one already.
  void Fail(std::string_view name, std::string_view message);
  // Whether it has: what depends on its value is not to be blamed then.
  bool Failed(std::string_view name) const;

  bool Has(std::string_view name) const;
  // The value given or the table's default; must lie in [min, max].
  double Number(std::string_view name, double min, double max);
  int Integer(std::string_view name, int min, int max);
  // A number in [kSmallestScale, kLargestScale].
  double Scale(std::string_view name);
  // Empty when not given.
  const Eigen::VectorXd& Vector(std::string_view name) const;
  const Eigen::MatrixXd& Matrix(std::string_view name) const;
  const std::vector<Eigen::MatrixXd>& Matrices(std::string_view name) const;

  // Fails in the name of `name` when dim > kMaxDimension.
  void CheckDimension(std::string_view name, double dim);

 private:
  const ParameterDoc* FindDoc(std::string_view name) const;
  const ParameterValue* Find(std::string_view name) const;
  void CheckValue(const ParameterDoc& doc, const ParameterValue& value);

  const std::vector<ParameterDoc>& docs_;
  const TargetParameters& bag_;
  std::vector<std::pair<std::string, std::string>> errors_;  // name and message
  double numbers_ = 0;
};

// The lower Cholesky factor L of a covariance matrix, L Lᵀ = covariance (D×D). Records in the
// reader, in the name of `name` and with `prefix` ("matrix 2: ") before the message, when the
// matrix is not dim×dim, not symmetric (to 1e-8 of its largest entry) or not positive definite;
// the result is then the identity.
Eigen::MatrixXd CholeskyFactor(ParameterReader& reader, std::string_view name,
                               std::string_view prefix, const Eigen::MatrixXd& covariance, int dim);

// Regression data: x is N×P with one row per observation, y has N entries, P ≤ kMaxDimension.
void CheckRegressionData(ParameterReader& reader);

}  // namespace aisivi
