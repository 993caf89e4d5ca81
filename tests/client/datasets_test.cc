// Data sets of the client against a scripted service on a real loopback port.
#include <gmock/gmock.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/client.h"

namespace aisivi {
namespace {

using grpc::ServerContext;
using testing::ElementsAre;

// Keeps the last upload, and answers with it.
class ScriptedDatasets : public v1::DatasetService::Service {
 public:
  grpc::Status UploadDataset(ServerContext*, grpc::ServerReader<v1::UploadDatasetRequest>* reader,
                             v1::Dataset* response) override {
    v1::UploadDatasetRequest request;
    bytes.clear();
    offsets.clear();
    while (reader->Read(&request)) {
      if (request.has_metadata()) {
        metadata = request.metadata();
        if (metadata.display_name() == "refused") {
          return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too much");
        }
      } else {
        offsets.push_back(request.chunk().offset());
        bytes += request.chunk().data();
      }
    }
    response->set_name("datasets/a");
    response->set_size_bytes(static_cast<int64_t>(bytes.size()));
    return grpc::Status::OK;
  }

  // Seven, in pages of at most three.
  grpc::Status ListDatasets(ServerContext*, const v1::ListDatasetsRequest* request,
                            v1::ListDatasetsResponse* response) override {
    const int first = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    const int last = std::min({7, first + 3, first + request->page_size()});
    for (int i = first; i < last; ++i) {
      response->add_datasets()->set_name(absl::StrCat("datasets/", i));
    }
    if (last < 7) response->set_next_page_token(absl::StrCat(last));
    return grpc::Status::OK;
  }

  grpc::Status GetDataset(ServerContext*, const v1::GetDatasetRequest* request,
                          v1::Dataset* response) override {
    response->set_name(request->name());
    return grpc::Status::OK;
  }

  grpc::Status DeleteDataset(ServerContext*, const v1::DeleteDatasetRequest* request,
                             google::protobuf::Empty*) override {
    return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, request->name());
  }

  grpc::Status DownloadDataset(ServerContext*, const v1::DownloadDatasetRequest* request,
                               grpc::ServerWriter<v1::DownloadDatasetResponse>* writer) override {
    for (const char* part : {"y,x\n", "1,2\n"}) {
      v1::DownloadDatasetResponse response;
      response.set_data(part);
      writer->Write(response);
    }
    return request->name() == "datasets/bad" ? grpc::Status(grpc::StatusCode::DATA_LOSS, "damaged")
                                             : grpc::Status::OK;
  }

  v1::UploadDatasetRequest::Metadata metadata;
  std::vector<int64_t> offsets;
  std::string bytes;
};

class DatasetClientTest : public testing::Test {
 protected:
  DatasetClientTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&datasets_);
    server_ = builder.BuildAndStart();
    client_ = std::make_unique<Client>(absl::StrCat("127.0.0.1:", port));
  }
  ~DatasetClientTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  ScriptedDatasets datasets_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(DatasetClientTest, UploadsFromWhereTheStreamStandsInChunks) {
  std::string text(3'000'000, 'x');
  std::istringstream stream("skipped" + text);
  stream.seekg(7);
  const absl::StatusOr<v1::Dataset> dataset = client_->UploadDataset(stream, "a name");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->name(), "datasets/a");
  EXPECT_EQ(datasets_.metadata.display_name(), "a name");
  EXPECT_EQ(datasets_.metadata.size_bytes(), 3'000'000);
  EXPECT_TRUE(datasets_.bytes == text);
  EXPECT_THAT(datasets_.offsets, ElementsAre(0, 1 << 20, 2 << 20));
}

TEST_F(DatasetClientTest, WhatTheServiceSaysCountsThoughItReadsNoMore) {
  std::istringstream stream(std::string(30'000'000, 'x'));
  const absl::Status status = client_->UploadDataset(stream, "refused").status();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(status.message(), "too much");
}

TEST_F(DatasetClientTest, AStreamThatCannotBeReadIsAnError) {
  std::istringstream stream("y,x\n");
  stream.setstate(std::ios::badbit);
  EXPECT_TRUE(absl::IsDataLoss(client_->UploadDataset(stream).status()));
}

TEST_F(DatasetClientTest, ListsAllPagesOrTheFirstFew) {
  EXPECT_EQ(client_->ListDatasets()->size(), 7u);
  const absl::StatusOr<std::vector<v1::Dataset>> four = client_->ListDatasets(4);
  ASSERT_TRUE(four.ok()) << four.status();
  ASSERT_EQ(four->size(), 4u);
  EXPECT_EQ(four->back().name(), "datasets/3");
}

TEST_F(DatasetClientTest, GetsDeletesAndDownloads) {
  EXPECT_EQ(client_->GetDataset("datasets/a")->name(), "datasets/a");
  EXPECT_EQ(client_->DeleteDataset("datasets/a").message(), "datasets/a");
  std::ostringstream out;
  EXPECT_TRUE(client_->DownloadDataset("datasets/a", out).ok());
  EXPECT_EQ(out.str(), "y,x\n1,2\n");
  EXPECT_TRUE(absl::IsDataLoss(client_->DownloadDataset("datasets/bad", out)));
  std::ostringstream full;
  full.setstate(std::ios::badbit);
  EXPECT_EQ(client_->DownloadDataset("datasets/a", full).message(), "cannot be written");
}

}  // namespace
}  // namespace aisivi
