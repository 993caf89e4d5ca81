#include "server/services/draw_scale.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/transforms/names.h"
#include "server/convert/variables.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

bool IsZ(const v1::Fit& fit, v1::DrawScale scale) {
  return scale == v1::DRAW_SCALE_UNCONSTRAINED || fit.variables().empty();
}

}  // namespace

absl::Status CheckScale(v1::DrawScale scale) {
  if (v1::DrawScale_IsValid(scale)) return absl::OkStatus();
  return FieldError("scale", absl::StrCat(static_cast<int>(scale), " is not a scale"));
}

int DrawSize(const v1::Fit& fit, v1::DrawScale scale) {
  return IsZ(fit, scale) ? fit.dimension() : static_cast<int>(ElementCount(fit.variables()));
}

int HeldSize(const v1::Fit& fit, v1::DrawScale scale) {
  return std::max(fit.dimension(), DrawSize(fit, scale));
}

std::vector<std::string> DrawNames(const FittedModel& fitted, v1::DrawScale scale) {
  if (!IsZ(fitted.fit, scale)) return ElementNames(fitted.target->Variables());
  return {fitted.fit.coordinate_names().begin(), fitted.fit.coordinate_names().end()};
}

absl::Status ToScale(const FittedModel& fitted, v1::DrawScale scale, uint64_t seed, int64_t first,
                     Eigen::MatrixXd* draws) {
  if (IsZ(fitted.fit, scale)) return absl::OkStatus();
  Eigen::MatrixXd values;
  if (absl::Status s = fitted.target->Constrain(*draws, seed, first, &values); !s.ok()) return s;
  *draws = std::move(values);
  return absl::OkStatus();
}

}  // namespace aisivi::server
