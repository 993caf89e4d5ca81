// One upload of a data set: its messages are taken one at a time, off the threads of RPCs.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "aisivi/v1/dataset_service.pb.h"
#include "server/services/heavy_work.h"
#include "server/services/idle_watch.h"
#include "server/store/dataset_store.h"

namespace aisivi::server {

// Owns itself; all must outlive it. DEADLINE_EXCEEDED when no message comes within the patience of
// `idle`.
grpc::ServerReadReactor<v1::UploadDatasetRequest>* StartUpload(HeavyWork* work, IdleWatch* idle,
                                                               DatasetStore* datasets,
                                                               v1::Dataset* response);

}  // namespace aisivi::server
