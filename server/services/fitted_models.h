// The posteriors of ended fits, loaded from the store on demand; the last few stay in memory.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/model/model.h"
#include "engine/targets/target.h"
#include "server/jobs/job_manager.h"

namespace aisivi::server {

struct FittedModel {
  v1::Fit fit;  // without the arrays of its target
  std::shared_ptr<const Model> model;
  std::unique_ptr<const Target> target;
  double numbers = 0;  // that the target holds, nearly
};

// FAILED_PRECONDITION naming `name`, reason ONLY_DRAWS, for a fit that is a set of draws. `what` it
// cannot do: "to evaluate at a point".
absl::Status CheckHasDensity(const FittedModel& fitted, absl::string_view what);

// The target as one request sees it: `cancel` ends what it waits for, and must outlive it.
std::shared_ptr<const Target> TargetFor(const std::shared_ptr<const FittedModel>& fitted,
                                        const std::atomic<bool>* cancel);

// An error of that target for the request's `name`: FAILED_PRECONDITION, reason TARGET_OFFLINE,
// where nobody evaluates it now; others as they are.
absl::Status OfTarget(const FittedModel& fitted, const absl::Status& status);

// Thread safety: all methods may be called at once.
class FittedModels {
 public:
  // All must outlive this.
  explicit FittedModels(const JobManager* jobs, const TargetSources& sources = {})
      : jobs_(jobs), sources_(sources) {}

  // The fit without the arrays of its target, without loading anything. INVALID_ARGUMENT,
  // NOT_FOUND, or FAILED_PRECONDITION (not ended, or without a posterior), all naming `name`.
  absl::StatusOr<v1::Fit> Usable(const std::string& name) const;
  // The same errors.
  absl::StatusOr<std::shared_ptr<const FittedModel>> Get(const std::string& name);

 private:
  using Entry = std::shared_ptr<const FittedModel>;

  Entry Find(const std::string& name);
  void Keep(const Entry& entry);

  const JobManager* const jobs_;
  const TargetSources sources_;
  std::mutex mutex_;
  std::list<Entry> recent_;  // most recently used first
};

}  // namespace aisivi::server
