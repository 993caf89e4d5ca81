#include "server/jobs/fit_identity.h"

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "server/convert/progress.h"
#include "server/status.h"
#include "server/store/durable_file.h"

namespace aisivi::server {

std::string NewUid() {
  std::random_device device;
  const auto word = [&device] { return static_cast<uint32_t>(device()); };
  const uint32_t version = (word() & 0x0fff) | 0x4000, variant = (word() & 0x3fff) | 0x8000;
  return absl::StrFormat("%08x-%04x-%04x-%04x-%04x%08x", word(), word() & 0xffff, version, variant,
                         word() & 0xffff, word());
}

void Touch(v1::Fit* fit) {
  // Never twice the same, though the clock may stand still or go back.
  const absl::Time now =
      std::max(absl::Now(), FromTimestamp(fit->update_time()) + absl::Nanoseconds(1));
  *fit->mutable_update_time() = ToTimestamp(now);
  fit->set_etag(
      absl::StrFormat("%016x", Fingerprint(absl::StrCat(fit->uid(), " ", absl::ToUnixNanos(now)))));
}

absl::Status CheckEtag(absl::string_view field, absl::string_view etag, const v1::Fit& fit) {
  if (etag.empty() || etag == fit.etag()) return absl::OkStatus();
  return EtagMismatch(field, fit.name());
}

std::string StateName(v1::Fit::State state) {
  return std::string(absl::StripPrefix(v1::Fit::State_Name(state), "STATE_"));
}

}  // namespace aisivi::server
