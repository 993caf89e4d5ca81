// A real server on loopback, in this process, with clients of all its services.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>

#include <memory>
#include <string>

#include "aisivi/v1/dataset_service.grpc.pb.h"
#include "aisivi/v1/fit_service.grpc.pb.h"
#include "aisivi/v1/posterior_service.grpc.pb.h"
#include "aisivi/v1/target_service.grpc.pb.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "server/server.h"
#include "tests/server/temporary_directory.h"

namespace aisivi::server {

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// The field of the first violation; empty when the status carries none.
inline std::string ViolatedField(const grpc::Status& status) {
  google::rpc::Status rpc;
  rpc.ParseFromString(status.error_details());
  for (const auto& any : rpc.details()) {
    google::rpc::BadRequest bad_request;
    if (any.UnpackTo(&bad_request)) return bad_request.field_violations(0).field();
  }
  return "";
}

inline std::string Reason(const grpc::Status& status) {
  google::rpc::Status rpc;
  rpc.ParseFromString(status.error_details());
  for (const auto& any : rpc.details()) {
    google::rpc::ErrorInfo info;
    if (any.UnpackTo(&info)) return info.reason();
  }
  return "";
}

class ServerFixture : public ::testing::Test {
 protected:
  // (Re)starts the server on the test's directory.
  void StartServer(FitFunction run_fit, ServerOptions options = {}) {
    server_.reset();
    options.listen = "127.0.0.1:0";
    options.metrics_listen = metrics_listen_;
    options.data_dir = directory_.path();
    absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(options, std::move(run_fit));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    grpc::ChannelArguments arguments;
    arguments.SetMaxSendMessageSize(-1);
    // Not the global pool of subchannels, which may remember an earlier server.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel(server_->listen_address(),
                                         grpc::InsecureChannelCredentials(), arguments);
    fits_ = v1::FitService::NewStub(channel_);
    posteriors_ = v1::PosteriorService::NewStub(channel_);
    targets_ = v1::TargetService::NewStub(channel_);
    datasets_ = v1::DatasetService::NewStub(channel_);
  }

  // Creates a fit from the text form of a Fit.
  grpc::Status Create(const std::string& fit, v1::Fit* created) {
    v1::CreateFitRequest request;
    *request.mutable_fit() = FromText<v1::Fit>(fit);
    return Create(request, created);
  }
  grpc::Status Create(const v1::CreateFitRequest& request, v1::Fit* created) {
    grpc::ClientContext context;
    return fits_->CreateFit(&context, request, created);
  }
  std::string MustCreate(const std::string& fit) {
    v1::Fit created;
    const grpc::Status status = Create(fit, &created);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return created.name();
  }

  // Watches a fit to its end and returns it.
  v1::Fit AwaitEnd(const std::string& name) {
    grpc::ClientContext context;
    v1::WatchFitRequest request;
    request.set_name(name);
    const auto reader = fits_->WatchFit(&context, request);
    v1::WatchFitResponse event, last;
    int64_t sequence = 0;
    while (reader->Read(&event)) {
      EXPECT_GT(event.sequence(), sequence);
      sequence = event.sequence();
      last = event;
    }
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(last.has_fit());
    return last.fit();
  }

  v1::Fit Get(const std::string& name) {
    grpc::ClientContext context;
    v1::GetFitRequest request;
    request.set_name(name);
    v1::Fit fit;
    const grpc::Status status = fits_->GetFit(&context, request, &fit);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return fit;
  }

  // With all of its target.
  v1::Fit Download(const std::string& name) {
    grpc::ClientContext context;
    v1::DownloadFitRequest request;
    request.set_name(name);
    const auto reader = fits_->DownloadFit(&context, request);
    v1::FitChunk chunk;
    std::string bytes;
    while (reader->Read(&chunk)) bytes += chunk.data();
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    v1::Fit fit;
    EXPECT_TRUE(fit.ParseFromString(bytes));
    return fit;
  }

  TemporaryDirectory directory_;
  // Stopping the metrics server takes two seconds, so only tests of it have one.
  std::string metrics_listen_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::FitService::Stub> fits_;
  std::unique_ptr<v1::PosteriorService::Stub> posteriors_;
  std::unique_ptr<v1::TargetService::Stub> targets_;
  std::unique_ptr<v1::DatasetService::Stub> datasets_;
};

}  // namespace aisivi::server
