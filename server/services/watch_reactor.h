// One watcher of a fit: sends the events of its log as fast as the client reads them.
//
// No thread waits for it: it is woken by the log's appends and by the completion of its own writes.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/status/status.h"
#include "aisivi/v1/fit_service.pb.h"
#include "server/jobs/event_log.h"

namespace aisivi::server {

// A stream of the events after `after_sequence`, ending with the fit's last. Owns itself.
grpc::ServerWriteReactor<v1::WatchFitResponse>* StartWatch(std::shared_ptr<EventLog> log,
                                                           int64_t after_sequence);

// A stream that ends at once.
grpc::ServerWriteReactor<v1::WatchFitResponse>* RefuseWatch(const absl::Status& status);

}  // namespace aisivi::server
