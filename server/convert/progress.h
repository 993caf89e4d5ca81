// What the engine reports, as messages. NaN becomes an absent field.
#pragma once

#include "absl/time/time.h"
#include "aisivi/v1/fit.pb.h"
#include "engine/evidence/evidence.h"
#include "engine/fit/progress.h"

namespace aisivi::server {

v1::FitProgress ToMessage(const FitProgress& progress);
// Without the verdict.
v1::LogEvidence ToMessage(const EvidenceEstimate& evidence);
v1::Fit::TerminationReason ToMessage(TerminationReason reason);
google::protobuf::Timestamp ToTimestamp(absl::Time time);
absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp);

}  // namespace aisivi::server
