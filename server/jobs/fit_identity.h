// What tells one state of a fit from another: Fit.uid, update_time and etag.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/fit.pb.h"

namespace aisivi::server {

// A random UUID (version 4, RFC 9562), for instance "3f2a…-…".
std::string NewUid();

// Dates `fit`: update_time is now, and the etag a new one.
void Touch(v1::Fit* fit);

// OK when `etag` is empty or the fit's; else ABORTED at the request's `field`.
absl::Status CheckEtag(absl::string_view field, absl::string_view etag, const v1::Fit& fit);

// "RUNNING" of STATE_RUNNING.
std::string StateName(v1::Fit::State state);

}  // namespace aisivi::server
