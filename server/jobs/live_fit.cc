#include "server/jobs/live_fit.h"

namespace aisivi::server {

LiveFit::Snapshot LiveFit::Listed() {
  if (listed_ != nullptr) return listed_;
  // Set aside rather than copied and cleared: they can be a thousand times as large as the rest.
  v1::Fit aside;
  aside.mutable_coordinate_names()->Swap(fit_.mutable_coordinate_names());
  aside.mutable_variables()->Swap(fit_.mutable_variables());
  aside.mutable_log()->Swap(fit_.mutable_log());
  auto* criteria = fit_.has_verdict() ? fit_.mutable_verdict()->mutable_criteria() : nullptr;
  if (criteria != nullptr) aside.mutable_verdict()->mutable_criteria()->Swap(criteria);
  listed_ = std::make_shared<const v1::Fit>(fit_);
  aside.mutable_coordinate_names()->Swap(fit_.mutable_coordinate_names());
  aside.mutable_variables()->Swap(fit_.mutable_variables());
  aside.mutable_log()->Swap(fit_.mutable_log());
  if (criteria != nullptr) aside.mutable_verdict()->mutable_criteria()->Swap(criteria);
  return listed_;
}

}  // namespace aisivi::server
