#include "server/jobs/job.h"

namespace aisivi::server {

v1::WatchFitResponse StateEvent(v1::Fit::State state) {
  v1::WatchFitResponse event;
  event.set_state(state);
  return event;
}

v1::WatchFitResponse FinalEvent(const v1::Fit& fit) {
  v1::WatchFitResponse event = StateEvent(fit.state());
  if (fit.has_progress()) *event.mutable_progress() = fit.progress();
  *event.mutable_fit() = fit;
  return event;
}

}  // namespace aisivi::server
