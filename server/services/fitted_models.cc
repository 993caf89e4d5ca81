#include "server/services/fitted_models.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/convert/settings.h"
#include "server/convert/target_data.h"
#include "server/convert/target_spec.h"
#include "server/jobs/fit_identity.h"
#include "server/jobs/fit_name.h"
#include "server/jobs/fit_plan.h"
#include "server/remote/remote_target.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr size_t kKept = 8;
// That the targets of those kept hold together, beside one of any size: half a gigabyte.
constexpr double kMostNumbers = 1 << 26;

absl::Status CheckUsable(const v1::Fit& fit) {
  const std::string state = StateName(fit.state());
  if (fit.state() == v1::Fit::STATE_QUEUED || fit.state() == v1::Fit::STATE_RUNNING) {
    return FitNotReady("FIT_NOT_ENDED", fit.name(),
                       absl::StrCat("is ", state, "; its posterior can be used once it has ended"));
  }
  if (!fit.has_posterior()) {
    return FitNotReady("NO_POSTERIOR", fit.name(),
                       absl::StrCat("ended as ", state, " without a posterior"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const FittedModel>> Load(const FitRecord& record,
                                                        const TargetSources& sources) {
  auto fitted = std::make_shared<FittedModel>();
  fitted->fit = WithoutArrays(record.fit());
  absl::StatusOr<std::shared_ptr<const Model>> model = Model::Parse(record.model());
  if (!model.ok()) {
    return absl::DataLossError(absl::StrCat("name: the stored posterior of ", record.fit().name(),
                                            " cannot be read: ", model.status().message()));
  }
  fitted->model = *std::move(model);
  absl::StatusOr<std::unique_ptr<const Target>> target =
      BuildStoredTarget(record.fit().target(), "target", sources);
  if (!target.ok()) return target.status();
  fitted->target = *std::move(target);
  fitted->numbers = TargetNumbers(record.fit().target(), sources.datasets);
  return fitted;
}

}  // namespace

FittedModels::Entry FittedModels::Find(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = recent_.begin(); it != recent_.end(); ++it) {
    if ((*it)->fit.name() != name) continue;
    recent_.splice(recent_.begin(), recent_, it);
    return recent_.front();
  }
  return nullptr;
}

void FittedModels::Keep(const Entry& entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  recent_.push_front(entry);
  double numbers = 0;
  for (const Entry& kept : recent_) numbers += kept->numbers;
  while (recent_.size() > kKept || (recent_.size() > 1 && numbers > kMostNumbers)) {
    numbers -= recent_.back()->numbers;
    recent_.pop_back();
  }
}

absl::Status CheckHasDensity(const FittedModel& fitted, absl::string_view what) {
  if (fitted.model->has_density()) return absl::OkStatus();
  return FitNotReady(
      "ONLY_DRAWS", fitted.fit.name(),
      absl::StrCat("has no density ", what, ": its method, ",
                   MethodName(fitted.fit.effective_settings().method()), ", leaves draws alone"));
}

std::shared_ptr<const Target> TargetFor(const std::shared_ptr<const FittedModel>& fitted,
                                        const std::atomic<bool>* cancel) {
  if (const auto* remote = dynamic_cast<const RemoteTarget*>(fitted->target.get())) {
    return std::shared_ptr<const Target>(new RemoteTarget(remote->Heeding(cancel)));
  }
  return std::shared_ptr<const Target>(fitted, fitted->target.get());
}

absl::Status OfTarget(const FittedModel& fitted, const absl::Status& status) {
  if (!absl::IsUnavailable(status)) return status;
  return FitNotReady("TARGET_OFFLINE", fitted.fit.name(),
                     "needs its density for this, and nobody serves it now; draws without their "
                     "densities, log q and the score of q do not need it");
}

absl::StatusOr<v1::Fit> FittedModels::Usable(const std::string& name) const {
  absl::StatusOr<std::string> id = ParseFitName("name", name);
  if (!id.ok()) return id.status();
  absl::StatusOr<v1::Fit> fit = jobs_->Get(*id);
  if (!fit.ok()) return fit.status();
  if (absl::Status status = CheckUsable(*fit); !status.ok()) return status;
  return fit;
}

absl::StatusOr<std::shared_ptr<const FittedModel>> FittedModels::Get(const std::string& name) {
  const absl::StatusOr<v1::Fit> fit = Usable(name);
  if (!fit.ok()) return fit.status();
  if (Entry known = Find(name)) return known;
  absl::StatusOr<FitRecord> record = jobs_->Record(*ParseFitName("name", name));
  if (!record.ok()) return record.status();
  absl::StatusOr<Entry> loaded = Load(*record, sources_);
  if (loaded.ok()) Keep(*loaded);
  return loaded;
}

}  // namespace aisivi::server
