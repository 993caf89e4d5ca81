// The fits of a server by id, by age and by the request that created them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "server/jobs/job.h"

namespace aisivi::server {

enum class ListOrder { kNewestFirst, kOldestFirst };

// The place of a fit among all: its create_time in nanoseconds, different for each and positive.
int64_t AgeOf(const v1::Fit& fit);

// Not thread-safe: the job manager's mutex guards it and the jobs.
class JobTable {
 public:
  // A later age than of any job inserted or age given before.
  int64_t NewAge();
  bool HasAge(int64_t age) const { return by_age_.contains(age); }

  // Its id, age and request_id must be new.
  void Insert(const JobPtr& job);
  void Erase(const Job& job);

  bool Has(const std::string& id) const { return by_id_.contains(id); }
  // FIT_NOT_FOUND when there is none.
  absl::StatusOr<JobPtr> Find(const std::string& id) const;
  // The job that a request created; null when `request_id` is empty or new. INVALID_ARGUMENT at
  // `request_id` when the requests differ.
  absl::StatusOr<JobPtr> FindRequest(const std::string& request_id, uint64_t fingerprint) const;
  // At most `count` fits beyond the age `position` in that order (0: from its beginning).
  std::vector<LiveFit::Snapshot> List(ListOrder order, int64_t position, size_t count) const;

  const std::unordered_map<std::string, JobPtr>& all() const { return by_id_; }

 private:
  std::unordered_map<std::string, JobPtr> by_id_;
  std::map<int64_t, JobPtr> by_age_;
  std::unordered_map<std::string, JobPtr> by_request_;
  int64_t last_age_ = 0;
};

}  // namespace aisivi::server
