// One upload of a data set: its messages are taken one at a time, off the threads of RPCs.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "aisivi/v1/dataset_service.pb.h"
#include "server/services/heavy_work.h"
#include "server/store/dataset_store.h"

namespace aisivi::server {

// Owns itself; both and the store must outlive it.
grpc::ServerReadReactor<v1::UploadDatasetRequest>* StartUpload(HeavyWork* work,
                                                               DatasetStore* datasets,
                                                               v1::Dataset* response);

}  // namespace aisivi::server
