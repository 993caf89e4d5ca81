#include "server/jobs/job_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/convert/progress.h"
#include "server/jobs/fit_name.h"
#include "server/status.h"

namespace aisivi::server {

int64_t AgeOf(const v1::Fit& fit) { return absl::ToUnixNanos(FromTimestamp(fit.create_time())); }

int64_t JobTable::NewAge() {
  last_age_ = std::max(last_age_ + 1, absl::GetCurrentTimeNanos());
  return last_age_;
}

void JobTable::Insert(const JobPtr& job) {
  const int64_t age = AgeOf(*job->fit);
  by_id_[job->id] = job;
  by_age_[age] = job;
  if (!job->request_id.empty()) by_request_[job->request_id] = job;
  last_age_ = std::max(last_age_, age);
}

void JobTable::Erase(const Job& job) {
  by_age_.erase(AgeOf(*job.fit));
  by_request_.erase(job.request_id);
  by_id_.erase(job.id);
}

absl::StatusOr<JobPtr> JobTable::Find(const std::string& id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return FitNotFound(FitName(id));
  return found->second;
}

absl::StatusOr<JobPtr> JobTable::FindRequest(const std::string& request_id,
                                             uint64_t fingerprint) const {
  const auto found = by_request_.find(request_id);
  if (request_id.empty() || found == by_request_.end()) return JobPtr();
  if (found->second->fingerprint != fingerprint) {
    return FieldError("request_id", absl::StrCat("was used before, for a different request (",
                                                 found->second->fit->name(), ")"));
  }
  return found->second;
}

std::vector<LiveFit::Snapshot> JobTable::List(ListOrder order, int64_t position,
                                              size_t count) const {
  std::vector<LiveFit::Snapshot> fits;
  if (order == ListOrder::kOldestFirst) {
    for (auto it = by_age_.upper_bound(position); it != by_age_.end() && fits.size() < count;
         ++it) {
      fits.push_back(it->second->fit.Listed());
    }
    return fits;
  }
  auto it = position == 0 ? by_age_.end() : by_age_.lower_bound(position);
  while (it != by_age_.begin() && fits.size() < count) {
    --it;
    fits.push_back(it->second->fit.Listed());
  }
  return fits;
}

}  // namespace aisivi::server
