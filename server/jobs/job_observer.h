// Who wants to know what the jobs do: the metrics.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "aisivi/v1/fit.pb.h"
#include "engine/fit/progress.h"

namespace aisivi::server {

// Thread safety: methods are called from several threads at once, for different fits; the calls for
// one fit come in the order Started, Progressed…, Ended, without the last where the server's
// shutdown interrupts it. They must not block.
class JobObserver {
 public:
  virtual ~JobObserver() = default;

  virtual void Started(absl::string_view name, absl::Duration queue_wait) = 0;
  virtual void Progressed(absl::string_view name, const FitProgress& progress) = 0;
  virtual void Ended(absl::string_view name, v1::Fit::State state) = 0;
};

}  // namespace aisivi::server
