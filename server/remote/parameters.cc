#include "server/remote/parameters.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

using Kind = v1::Constraint;

constexpr std::pair<ConstraintKind, v1::Constraint::Kind> kKinds[] = {
    {ConstraintKind::kNone, Kind::KIND_UNSPECIFIED},
    {ConstraintKind::kLower, Kind::KIND_LOWER},
    {ConstraintKind::kUpper, Kind::KIND_UPPER},
    {ConstraintKind::kInterval, Kind::KIND_INTERVAL},
    {ConstraintKind::kAffine, Kind::KIND_AFFINE},
    {ConstraintKind::kOrdered, Kind::KIND_ORDERED},
    {ConstraintKind::kPositiveOrdered, Kind::KIND_POSITIVE_ORDERED},
    {ConstraintKind::kSimplex, Kind::KIND_SIMPLEX},
    {ConstraintKind::kSumToZero, Kind::KIND_SUM_TO_ZERO},
    {ConstraintKind::kCholeskyFactorCov, Kind::KIND_CHOLESKY_FACTOR_COV},
    {ConstraintKind::kCovMatrix, Kind::KIND_COV_MATRIX},
    {ConstraintKind::kCholeskyFactorCorr, Kind::KIND_CHOLESKY_FACTOR_CORR},
    {ConstraintKind::kCorrMatrix, Kind::KIND_CORR_MATRIX},
};

absl::StatusOr<Constraint> ToConstraint(const v1::Constraint& message, const std::string& field) {
  for (const auto& [own, kind] : kKinds) {
    if (kind != message.kind()) continue;
    return Constraint{own, message.lower(), message.upper(), message.offset(),
                      message.has_multiplier() ? message.multiplier() : 1};
  }
  return FieldError(absl::StrCat(field, ".constraint.kind"),
                    absl::StrCat(static_cast<int>(message.kind()), " is not one"));
}

v1::Constraint ToMessage(const Constraint& constraint) {
  v1::Constraint message;
  for (const auto& [own, kind] : kKinds) {
    if (own == constraint.kind) message.set_kind(kind);
  }
  message.set_lower(constraint.lower);
  message.set_upper(constraint.upper);
  message.set_offset(constraint.offset);
  message.set_multiplier(constraint.multiplier);
  return message;
}

bool SameConstraint(const Constraint& a, const Constraint& b) {
  if (a.kind != b.kind) return false;
  const bool lower = a.kind == ConstraintKind::kLower || a.kind == ConstraintKind::kInterval;
  const bool upper = a.kind == ConstraintKind::kUpper || a.kind == ConstraintKind::kInterval;
  return (!lower || a.lower == b.lower) && (!upper || a.upper == b.upper) &&
         (a.kind != ConstraintKind::kAffine ||
          (a.offset == b.offset && a.multiplier == b.multiplier));
}

// The engine says "parameters[i].NAME: …".
absl::Status AtParameters(absl::string_view field, const absl::Status& error) {
  const absl::string_view message = error.message();
  const size_t end = message.find(": ");
  if (!absl::StartsWith(message, "parameters") || end == absl::string_view::npos) {
    return FieldError(field, message);
  }
  constexpr size_t kPrefix = sizeof("parameters") - 1;
  return FieldError(absl::StrCat(field, message.substr(kPrefix, end - kPrefix)),
                    message.substr(end + 2));
}

}  // namespace

absl::StatusOr<ParameterMap> ToParameterMap(const ParameterMessages& parameters,
                                            absl::string_view field) {
  std::vector<Parameter> own;
  for (int i = 0; i < parameters.size(); ++i) {
    absl::StatusOr<Constraint> constraint =
        ToConstraint(parameters[i].constraint(), absl::StrCat(field, "[", i, "]"));
    if (!constraint.ok()) return constraint.status();
    own.push_back({parameters[i].name(),
                   {parameters[i].shape().begin(), parameters[i].shape().end()},
                   *constraint});
  }
  absl::StatusOr<ParameterMap> map = ParameterMap::Make(std::move(own));
  if (!map.ok()) return AtParameters(field, map.status());
  if (map->unconstrained() > kMostCoordinates) {
    return FieldError(field, absl::StrCat("have ", map->unconstrained(),
                                          " unconstrained coordinates in all; at most ",
                                          kMostCoordinates, " can be fitted"));
  }
  return map;
}

ParameterMessages ToMessages(const ParameterMap& map) {
  ParameterMessages messages;
  for (const Parameter& parameter : map.parameters()) {
    v1::Parameter* message = messages.Add();
    message->set_name(parameter.name);
    for (const int64_t size : parameter.shape) message->add_shape(size);
    if (parameter.constraint.kind == ConstraintKind::kNone) continue;
    *message->mutable_constraint() = ToMessage(parameter.constraint);
  }
  return messages;
}

bool SameParameters(const ParameterMap& a, const ParameterMap& b) {
  return std::equal(a.parameters().begin(), a.parameters().end(), b.parameters().begin(),
                    b.parameters().end(), [](const Parameter& one, const Parameter& other) {
                      return one.name == other.name && one.shape == other.shape &&
                             SameConstraint(one.constraint, other.constraint);
                    });
}

}  // namespace aisivi::server
