// How connections carry arrays of numbers: messages of a hundred kilobytes and more.
#pragma once

#include <grpcpp/server_builder.h>

namespace aisivi::server {

// Without these HTTP/2 cuts a batch of points into frames of 16 KB and reads them in pieces of 8 KB
// at first: a quarter more time for 128 points in 100 dimensions over the loopback interface.
inline void CarryArrays(grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1 << 20);
  builder->AddChannelArgument(GRPC_ARG_TCP_READ_CHUNK_SIZE, 1 << 18);
}

}  // namespace aisivi::server
