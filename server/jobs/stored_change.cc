#include "server/jobs/stored_change.h"

#include <functional>
#include <new>

#include "absl/status/statusor.h"

namespace aisivi::server {
namespace {

absl::Status Rewrite(FitStore* store, const std::string& id,
                     const std::function<void(FitRecord* record)>& change) {
  try {
    absl::StatusOr<FitRecord> record = store->Read(id);
    if (!record.ok()) return record.status();
    change(&*record);
    return store->Write(id, *record);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("the server has not enough memory to change this fit");
  }
}

}  // namespace

void TakeChangeable(const v1::Fit& from, v1::Fit* fit) {
  fit->set_display_name(from.display_name());
  *fit->mutable_labels() = from.labels();
  if (from.has_expire_time()) {
    *fit->mutable_expire_time() = from.expire_time();
  } else {
    fit->clear_expire_time();
  }
}

void TakeIdentity(const v1::Fit& from, v1::Fit* fit) {
  *fit->mutable_update_time() = from.update_time();
  fit->set_etag(from.etag());
}

absl::Status StoreChangeable(FitStore* store, const std::string& id, const v1::Fit& changed) {
  return Rewrite(store, id, [&changed](FitRecord* record) {
    TakeChangeable(changed, record->mutable_fit());
    TakeIdentity(changed, record->mutable_fit());
  });
}

absl::Status StoreEnd(FitStore* store, const std::string& id, const v1::Fit& ended,
                      int64_t last_sequence) {
  return Rewrite(store, id, [&](FitRecord* record) {
    const v1::TargetSpec target = record->fit().target();
    *record->mutable_fit() = ended;
    *record->mutable_fit()->mutable_target() = target;
    record->set_last_sequence(last_sequence);
  });
}

absl::Status StoreAttempts(FitStore* store, const std::string& id, int attempts) {
  return Rewrite(store, id, [attempts](FitRecord* record) { record->set_attempts(attempts); });
}

absl::Status StoreInterruption(FitStore* store, const std::string& id, int attempts,
                               int64_t last_sequence) {
  return Rewrite(store, id, [&](FitRecord* record) {
    record->set_attempts(attempts);
    record->set_last_sequence(last_sequence);
  });
}

}  // namespace aisivi::server
