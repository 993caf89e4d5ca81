#include "engine/targets/parameters.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace aisivi {
namespace {

// Abseil of this age has its own string_view type in some builds.
absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

const char* KindName(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::kNumber:
      return "a number";
    case ParameterKind::kInteger:
      return "an integer";
    case ParameterKind::kVector:
      return "a vector";
    case ParameterKind::kMatrix:
      return "a matrix";
    case ParameterKind::kMatrixList:
      return "a list of matrices";
  }
  return "unknown";
}

bool HasKind(const ParameterValue& value, ParameterKind kind) {
  switch (kind) {
    case ParameterKind::kNumber:
    case ParameterKind::kInteger:
      return std::holds_alternative<double>(value);
    case ParameterKind::kVector:
      return std::holds_alternative<Eigen::VectorXd>(value);
    case ParameterKind::kMatrix:
      return std::holds_alternative<Eigen::MatrixXd>(value);
    case ParameterKind::kMatrixList:
      return std::holds_alternative<std::vector<Eigen::MatrixXd>>(value);
  }
  return false;
}

double CountNumbers(const ParameterValue& value) {
  if (const Eigen::VectorXd* vector = std::get_if<Eigen::VectorXd>(&value)) return vector->size();
  if (const Eigen::MatrixXd* matrix = std::get_if<Eigen::MatrixXd>(&value)) return matrix->size();
  if (const auto* list = std::get_if<std::vector<Eigen::MatrixXd>>(&value)) {
    double count = 0;
    for (const Eigen::MatrixXd& matrix : *list) count += matrix.size();
    return count;
  }
  return 1;
}

// Where the first number that is not finite stands; empty when all are finite.
std::string FindNonFinite(const Eigen::MatrixXd& matrix) {
  if (matrix.allFinite()) return "";
  for (Eigen::Index row = 0; row < matrix.rows(); ++row) {
    for (Eigen::Index col = 0; col < matrix.cols(); ++col) {
      if (!std::isfinite(matrix(row, col))) {
        return absl::StrFormat("row %d column %d", row + 1, col + 1);
      }
    }
  }
  return "";
}

std::string FindNonFinite(const Eigen::VectorXd& vector) {
  for (Eigen::Index i = 0; i < vector.size(); ++i) {
    if (!std::isfinite(vector(i))) return absl::StrFormat("entry %d", i + 1);
  }
  return "";
}

std::string FindNonFinite(const std::vector<Eigen::MatrixXd>& list) {
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string place = FindNonFinite(list[i]);
    if (!place.empty()) return absl::StrFormat("matrix %d %s", i + 1, place);
  }
  return "";
}

std::string FindNonFinite(double number) { return std::isfinite(number) ? "" : "the value"; }

}  // namespace

ParameterReader::ParameterReader(const std::vector<ParameterDoc>& docs, const TargetParameters& bag)
    : docs_(docs), bag_(bag) {
  for (const auto& [name, value] : bag_) {
    const ParameterDoc* doc = FindDoc(name);
    if (doc == nullptr) {
      std::string known;
      for (const ParameterDoc& d : docs_)
        absl::StrAppend(&known, known.empty() ? "" : ", ", d.name);
      Fail(name, known.empty() ? "unknown parameter; this target has none"
                               : absl::StrCat("unknown parameter; this target has: ", known));
      continue;
    }
    CheckValue(*doc, value);
  }
  for (const ParameterDoc& doc : docs_) {
    if (doc.default_value.empty() && !Has(doc.name)) {
      Fail(doc.name, absl::StrCat("required (", KindName(doc.kind), ")"));
    }
  }
}

void ParameterReader::CheckValue(const ParameterDoc& doc, const ParameterValue& value) {
  if (!HasKind(value, doc.kind)) {
    Fail(doc.name, absl::StrCat("must be ", KindName(doc.kind)));
    return;
  }
  const bool enough = numbers_ > kMaxNumbers;
  numbers_ += CountNumbers(value);
  if (!enough && numbers_ > kMaxNumbers) {
    Fail(doc.name, absl::StrFormat("too large: a target takes at most %.0f numbers", kMaxNumbers));
    return;
  }
  const std::string place = std::visit([](const auto& v) { return FindNonFinite(v); }, value);
  if (!place.empty()) Fail(doc.name, absl::StrCat(place, " is not finite"));
}

void ParameterReader::Fail(std::string_view name, std::string_view message) {
  if (!Failed(name)) errors_.emplace_back(name, message);
}

bool ParameterReader::Failed(std::string_view name) const {
  return std::any_of(errors_.begin(), errors_.end(),
                     [name](const auto& error) { return error.first == name; });
}

absl::Status ParameterReader::status() const {
  if (ok()) return absl::OkStatus();
  std::string lines;
  for (const auto& [name, message] : errors_) {
    absl::StrAppend(&lines, lines.empty() ? "" : "\n", name, ": ", message);
  }
  return absl::InvalidArgumentError(lines);
}

const ParameterDoc* ParameterReader::FindDoc(std::string_view name) const {
  for (const ParameterDoc& doc : docs_) {
    if (doc.name == name) return &doc;
  }
  return nullptr;
}

const ParameterValue* ParameterReader::Find(std::string_view name) const {
  const auto it = bag_.find(name);
  return it == bag_.end() ? nullptr : &it->second;
}

bool ParameterReader::Has(std::string_view name) const {
  const ParameterValue* value = Find(name);
  return value != nullptr && CountNumbers(*value) > 0;
}

double ParameterReader::Number(std::string_view name, double min, double max) {
  const ParameterValue* given = Find(name);
  double value = std::numeric_limits<double>::quiet_NaN();
  if (given != nullptr) {
    if (const double* number = std::get_if<double>(given)) value = *number;
  } else if (const ParameterDoc* doc = FindDoc(name)) {
    if (!absl::SimpleAtod(doc->default_value, &value)) value = std::nan("");
  }
  if (!(value >= min && value <= max)) {
    Fail(name, absl::StrFormat("must be between %g and %g, not %g", min, max, value));
    return min;
  }
  return value;
}

int ParameterReader::Integer(std::string_view name, int min, int max) {
  const double value = Number(name, min, max);
  if (value != std::floor(value)) {
    Fail(name, absl::StrFormat("must be an integer, not %g", value));
    return min;
  }
  return static_cast<int>(value);
}

double ParameterReader::Scale(std::string_view name) {
  return Number(name, kSmallestScale, kLargestScale);
}

const Eigen::VectorXd& ParameterReader::Vector(std::string_view name) const {
  static const Eigen::VectorXd* const kEmpty = new Eigen::VectorXd;
  const ParameterValue* value = Find(name);
  const auto* vector = value == nullptr ? nullptr : std::get_if<Eigen::VectorXd>(value);
  return vector == nullptr ? *kEmpty : *vector;
}

const Eigen::MatrixXd& ParameterReader::Matrix(std::string_view name) const {
  static const Eigen::MatrixXd* const kEmpty = new Eigen::MatrixXd;
  const ParameterValue* value = Find(name);
  const auto* matrix = value == nullptr ? nullptr : std::get_if<Eigen::MatrixXd>(value);
  return matrix == nullptr ? *kEmpty : *matrix;
}

const std::vector<Eigen::MatrixXd>& ParameterReader::Matrices(std::string_view name) const {
  static const auto* const kEmpty = new std::vector<Eigen::MatrixXd>;
  const ParameterValue* value = Find(name);
  const auto* list = value == nullptr ? nullptr : std::get_if<std::vector<Eigen::MatrixXd>>(value);
  return list == nullptr ? *kEmpty : *list;
}

void ParameterReader::CheckDimension(std::string_view name, double dim) {
  if (dim > kMaxDimension) {
    Fail(name,
         absl::StrFormat("gives %.0f dimensions; at most %d are allowed", dim, kMaxDimension));
  }
}

Eigen::MatrixXd CholeskyFactor(ParameterReader& reader, std::string_view name,
                               std::string_view prefix, const Eigen::MatrixXd& covariance,
                               int dim) {
  const auto fail = [&](const std::string& message) -> Eigen::MatrixXd {
    reader.Fail(name, absl::StrCat(View(prefix), message));
    return Eigen::MatrixXd::Identity(dim, dim);
  };
  if (covariance.rows() != dim || covariance.cols() != dim) {
    return fail(absl::StrFormat("must be %d×%d, not %d×%d", dim, dim, covariance.rows(),
                                covariance.cols()));
  }
  const double tolerance = 1e-8 * covariance.cwiseAbs().maxCoeff();
  if (!((covariance - covariance.transpose()).cwiseAbs().maxCoeff() <= tolerance)) {
    return fail("not symmetric");
  }
  const Eigen::MatrixXd symmetric = 0.5 * (covariance + covariance.transpose());
  const Eigen::LLT<Eigen::MatrixXd> llt(symmetric);
  if (llt.info() != Eigen::Success) return fail("not positive definite");
  Eigen::MatrixXd factor = llt.matrixL();
  // L_jj² / Σ_jj is the share of coordinate j that the earlier ones leave unexplained: a singular
  // matrix may pass the factorisation with nothing but rounding error there.
  const double smallest =
      (factor.diagonal().array().square() / symmetric.diagonal().array()).minCoeff();
  const double rounding = 4 * dim * std::numeric_limits<double>::epsilon();
  if (!(smallest > rounding)) return fail("not positive definite");
  return factor;
}

void CheckRegressionData(ParameterReader& reader) {
  const Eigen::MatrixXd& x = reader.Matrix("x");
  const Eigen::VectorXd& y = reader.Vector("y");
  reader.CheckDimension("x", static_cast<double>(x.cols()));
  if (y.size() != x.rows()) {
    reader.Fail("y", absl::StrFormat("has %d entries, x has %d rows", y.size(), x.rows()));
  }
}

}  // namespace aisivi
