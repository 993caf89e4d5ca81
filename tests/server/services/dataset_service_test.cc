// DatasetService through a real server, and fits that name data sets, with a fake fit.
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/server/fake_fit.h"
#include "tests/server/services/server_fixture.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Request = v1::UploadDatasetRequest;

constexpr char kTable[] = "damage,temperature\n0,66\n1,70.5\n0,69\n";

Request Metadata(int64_t size, const std::string& display_name = "") {
  Request request;
  request.mutable_metadata()->set_size_bytes(size);
  request.mutable_metadata()->set_display_name(display_name);
  return request;
}

Request Chunk(int64_t offset, const std::string& data) {
  Request request;
  request.mutable_chunk()->set_offset(offset);
  request.mutable_chunk()->set_data(data);
  return request;
}

class DatasetServiceTest : public ServerFixture {
 protected:
  void SetUp() override {
    ServerOptions options;
    options.max_running = 1;
    Restart(options);
  }
  ~DatasetServiceTest() override { server_.reset(); }

  void Restart(const ServerOptions& options) {
    server_.reset();
    fake_ = std::make_unique<FakeFit>();
    StartServer(fake_->Function(), options);
  }

  grpc::Status Send(const std::vector<Request>& requests, v1::Dataset* dataset) {
    grpc::ClientContext context;
    const auto writer = datasets_->UploadDataset(&context, dataset);
    for (const Request& request : requests) {
      if (!writer->Write(request)) break;
    }
    writer->WritesDone();
    return writer->Finish();
  }
  grpc::Status Send(const std::vector<Request>& requests) {
    v1::Dataset dataset;
    return Send(requests, &dataset);
  }
  // In pieces of at most `piece` bytes.
  grpc::Status Upload(const std::string& text, v1::Dataset* dataset, size_t piece = 7) {
    std::vector<Request> requests = {Metadata(static_cast<int64_t>(text.size()), "a name")};
    for (size_t i = 0; i < text.size(); i += piece) {
      requests.push_back(Chunk(static_cast<int64_t>(i), text.substr(i, piece)));
    }
    return Send(requests, dataset);
  }
  std::string MustUpload(const std::string& text) {
    v1::Dataset dataset;
    const grpc::Status status = Upload(text, &dataset);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return dataset.name();
  }

  grpc::Status GetSet(const std::string& name, v1::Dataset* dataset) {
    grpc::ClientContext context;
    v1::GetDatasetRequest request;
    request.set_name(name);
    return datasets_->GetDataset(&context, request, dataset);
  }
  grpc::Status DeleteSet(const std::string& name) {
    grpc::ClientContext context;
    v1::DeleteDatasetRequest request;
    request.set_name(name);
    google::protobuf::Empty empty;
    return datasets_->DeleteDataset(&context, request, &empty);
  }
  grpc::Status DownloadSet(const std::string& name, std::string* bytes) {
    grpc::ClientContext context;
    v1::DownloadDatasetRequest request;
    request.set_name(name);
    const auto reader = datasets_->DownloadDataset(&context, request);
    v1::DownloadDatasetResponse response;
    while (reader->Read(&response)) *bytes += response.data();
    return reader->Finish();
  }
  v1::ListDatasetsResponse List(int page_size = 0, const std::string& token = "") {
    grpc::ClientContext context;
    v1::ListDatasetsRequest request;
    request.set_page_size(page_size);
    request.set_page_token(token);
    v1::ListDatasetsResponse response;
    const grpc::Status status = datasets_->ListDatasets(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  grpc::Status DeleteFit(const std::string& name) {
    grpc::ClientContext context;
    v1::DeleteFitRequest request;
    request.set_name(name);
    google::protobuf::Empty empty;
    return fits_->DeleteFit(&context, request, &empty);
  }
  // A fit to the table that waits behind another, so that it runs after a restart only.
  std::string CreateQueued(const std::string& dataset) {
    MustCreate("target { banana {} }");
    fake_->AwaitStarted(1);
    return MustCreate(FitTo(dataset));
  }
  std::string FileOf(const std::string& name) const {
    return absl::StrCat(directory_.path(), "/", name, ".dataset");
  }
  // The text form of a fit to the table.
  static std::string FitTo(const std::string& name, const std::string& more = "") {
    return absl::StrCat("target { logistic_regression { dataset: '", name,
                        "' response: 'damage' intercept: true ", more, " } }");
  }

  std::unique_ptr<FakeFit> fake_;
};

TEST_F(DatasetServiceTest, UploadsShowsListsAndDownloads) {
  v1::Dataset uploaded, shown;
  ASSERT_TRUE(Upload(kTable, &uploaded).ok());
  EXPECT_THAT(uploaded.name(), StartsWith("datasets/"));
  EXPECT_EQ(uploaded.display_name(), "a name");
  EXPECT_EQ(uploaded.rows(), 3);
  ASSERT_EQ(uploaded.columns_size(), 2);
  EXPECT_EQ(uploaded.columns(0).kind(), v1::Dataset::COLUMN_KIND_INTEGER);
  EXPECT_EQ(uploaded.columns(1).maximum(), 70.5);
  ASSERT_TRUE(GetSet(uploaded.name(), &shown).ok());
  EXPECT_EQ(shown.SerializeAsString(), uploaded.SerializeAsString());
  ASSERT_EQ(List().datasets_size(), 1);
  EXPECT_EQ(List().datasets(0).name(), uploaded.name());
  EXPECT_EQ(List().datasets(0).columns_size(), 0);
  std::string bytes;
  ASSERT_TRUE(DownloadSet(uploaded.name(), &bytes).ok());
  EXPECT_EQ(bytes, kTable);
}

TEST_F(DatasetServiceTest, LargerThanAMessageOfTheDownload) {
  std::string text = "y,x\n";
  while (text.size() < 600'000) absl::StrAppend(&text, text.size() % 2, ",", text.size(), "\n");
  v1::Dataset dataset;
  ASSERT_TRUE(Upload(text, &dataset, 250'000).ok());
  std::string bytes;
  ASSERT_TRUE(DownloadSet(dataset.name(), &bytes).ok());
  EXPECT_TRUE(bytes == text);
}

TEST_F(DatasetServiceTest, TheSameBytesAgainAreTheSameDataSet) {
  v1::Dataset first, again;
  ASSERT_TRUE(Upload(kTable, &first).ok());
  ASSERT_TRUE(Upload(kTable, &again, 1000).ok());
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(List().datasets_size(), 1);
}

TEST_F(DatasetServiceTest, BrokenUploadsLeaveNothing) {
  const std::string table = "y,x\n1,2\n";
  const int64_t size = static_cast<int64_t>(table.size());
  const struct {
    std::vector<Request> requests;
    const char* field;
    const char* text;
  } cases[] = {
      {{}, "metadata", "required"},
      {{Chunk(0, table)}, "metadata", "required"},
      {{Request()}, "metadata", "required"},
      {{Metadata(size), Metadata(size)}, "metadata", "the first message only"},
      {{Metadata(size), Request()}, "chunk", "required"},
      {{Metadata(0)}, "metadata.size_bytes", "at least 1"},
      {{Metadata(-1)}, "metadata.size_bytes", "at least 1"},
      {{Metadata(size, "a\x1b[2J")}, "metadata.display_name", "control characters"},
      {{Metadata(size, std::string(257, 'x'))}, "metadata.display_name", "256 bytes"},
      {{Metadata(size)}, "chunk.data", "after 0 of 8 bytes"},
      {{Metadata(size), Chunk(0, "y,x\n")}, "chunk.data", "after 4 of 8 bytes"},
      {{Metadata(size), Chunk(4, "1,2\n"), Chunk(0, "y,x\n")}, "chunk.offset", "out of order"},
      {{Metadata(size), Chunk(0, "y,x\n"), Chunk(0, "y,x\n")}, "chunk.offset", "twice"},
      {{Metadata(size), Chunk(0, "y,x\n"), Chunk(6, "2\n")}, "chunk.offset", "missing"},
      {{Metadata(size), Chunk(-1, table)}, "chunk.offset", "is -1"},
      {{Metadata(size), Chunk(0, table + "1,3\n")}, "chunk.data", "more bytes than the 8"},
      {{Metadata(5 << 20), Chunk(0, std::string((4 << 20) + 1, 'x'))}, "chunk.data", "at once"},
      {{Metadata(size), Chunk(0, "y,x\n1,\n\n")},
       "chunk.data",
       "line 2: column 2 (x): the cell is"},
      {{Metadata(size), Chunk(0, "1,2\n1,2\n")}, "chunk.data", "line 1: column 1: the first line"},
  };
  for (const auto& c : cases) {
    const grpc::Status status = Send(c.requests);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << c.text;
    EXPECT_EQ(ViolatedField(status), c.field) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(c.text));
  }
  EXPECT_EQ(List().datasets_size(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/datasets"));
  MustUpload(table);
}

TEST_F(DatasetServiceTest, AClientThatLeavesLeavesNothing) {
  {
    grpc::ClientContext context;
    v1::Dataset dataset;
    const auto writer = datasets_->UploadDataset(&context, &dataset);
    ASSERT_TRUE(writer->Write(Metadata(sizeof(kTable) - 1)));
    ASSERT_TRUE(writer->Write(Chunk(0, kTable)));
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  // The server ends when the upload has.
  server_.reset();
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/datasets"));
}

TEST_F(DatasetServiceTest, AClientThatSendsNothingIsGivenUp) {
  ServerOptions options;
  options.upload_patience = absl::Milliseconds(50);
  Restart(options);
  grpc::ClientContext context;
  v1::Dataset dataset;
  const auto writer = datasets_->UploadDataset(&context, &dataset);
  ASSERT_TRUE(writer->Write(Metadata(sizeof(kTable) - 1)));
  const grpc::Status status = writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("no message has come for 50ms"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/datasets"));
}

TEST_F(DatasetServiceTest, LimitsOfOneAndOfAll) {
  ServerOptions options;
  options.max_dataset_mb = 1;
  options.dataset_quota_bytes = 4096;
  Restart(options);
  const grpc::Status large = Send({Metadata((1 << 20) + 1)});
  EXPECT_EQ(large.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Reason(large), "DATASET_TOO_LARGE");
  EXPECT_THAT(large.error_message(), StartsWith("metadata.size_bytes: "));
  EXPECT_EQ(Reason(Send({Metadata(5000)})), "DATASET_QUOTA");
  const std::string name = MustUpload("y,x\n1,2\n");
  v1::Dataset dataset;
  const grpc::Status full = Upload("y,x\n1,3\n", &dataset);
  EXPECT_EQ(full.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Reason(full), "DATASET_QUOTA");
  ASSERT_TRUE(DeleteSet(name).ok());
  EXPECT_TRUE(Upload("y,x\n1,3\n", &dataset).ok());
}

TEST_F(DatasetServiceTest, ListsInPages) {
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.insert(names.begin(), MustUpload(absl::StrCat("y\n", i, "\n")));
  std::vector<std::string> listed;
  std::string token;
  do {
    const v1::ListDatasetsResponse page = List(2, token);
    EXPECT_LE(page.datasets_size(), 2);
    for (const v1::Dataset& dataset : page.datasets()) listed.push_back(dataset.name());
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_EQ(listed, names);
  grpc::ClientContext context;
  v1::ListDatasetsRequest request;
  request.set_page_size(-1);
  v1::ListDatasetsResponse response;
  EXPECT_EQ(ViolatedField(datasets_->ListDatasets(&context, request, &response)), "page_size");
}

TEST_F(DatasetServiceTest, WhatIsNotThere) {
  const std::string missing = "datasets/" + std::string(32, 'a');
  v1::Dataset dataset;
  std::string bytes;
  v1::Fit fit;
  for (const grpc::Status& status :
       {GetSet(missing, &dataset), DeleteSet(missing), DownloadSet(missing, &bytes)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_THAT(status.error_message(), StartsWith("name: there is no data set"));
    EXPECT_EQ(Reason(status), "DATASET_NOT_FOUND");
  }
  for (const grpc::Status& status : {GetSet("datasets/x", &dataset), DeleteSet("fits/x"),
                                     DownloadSet("../../etc/passwd", &bytes)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(ViolatedField(status), "name");
  }
  const grpc::Status created = Create(FitTo(missing), &fit);
  EXPECT_EQ(created.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(created.error_message(), StartsWith("fit.target.logistic_regression.dataset: "));
}

TEST_F(DatasetServiceTest, AFitCarriesTheColumnsNames) {
  const std::string name = MustUpload(kTable);
  fake_->Release();
  const v1::Fit fit = AwaitEnd(MustCreate(FitTo(name)));
  EXPECT_EQ(fit.state(), v1::Fit::STATE_SUCCEEDED) << fit.message();
  EXPECT_EQ(fit.dimension(), 2);
  EXPECT_THAT(fit.coordinate_names(), ElementsAre("beta[intercept]", "beta[temperature]"));
  EXPECT_EQ(fit.target().logistic_regression().dataset(), name);
  EXPECT_EQ(fit.target().logistic_regression().response(), "damage");
  const v1::Fit whole = Download(fit.name());
  EXPECT_EQ(whole.target().logistic_regression().x().values_size(), 0)
      << "the data stay where they are";
}

TEST_F(DatasetServiceTest, AWrongColumnIsNamed) {
  const std::string name = MustUpload(kTable);
  v1::Fit fit;
  const grpc::Status unknown = Create(FitTo(name, "predictors: 'wind'"), &fit);
  EXPECT_EQ(ViolatedField(unknown), "fit.target.logistic_regression.predictors[0]");
  const grpc::Status response =
      Create(absl::StrCat("target { logistic_regression { dataset: '", name,
                          "' response: 'temperature' } "
                          "}"),
             &fit);
  EXPECT_EQ(ViolatedField(response), "fit.target.logistic_regression.response");
  EXPECT_THAT(response.error_message(), HasSubstr("column \"temperature\": entry 1 is 66"));
}

TEST_F(DatasetServiceTest, IsKeptWhileAFitNamesIt) {
  const std::string name = MustUpload(kTable);
  const std::string fit = CreateQueued(name);
  const auto refused = [&](const std::string& when) {
    const grpc::Status status = DeleteSet(name);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << when;
    EXPECT_EQ(Reason(status), "DATASET_IN_USE") << when;
    EXPECT_THAT(status.error_message(), StartsWith("name: " + name)) << when;
    EXPECT_THAT(status.error_message(), HasSubstr(fit)) << when;
  };
  refused("while it waits");
  Restart({});
  refused("after a restart");
  fake_->Release();
  EXPECT_EQ(AwaitEnd(fit).state(), v1::Fit::STATE_SUCCEEDED);
  refused("after its end");
  Restart({});
  refused("after its end and a restart");
  const std::string other = MustUpload("y,x\n1,2\n");
  EXPECT_TRUE(DeleteSet(other).ok()) << "which no fit names";
  ASSERT_TRUE(DeleteFit(fit).ok());
  EXPECT_TRUE(DeleteSet(name).ok());
  EXPECT_EQ(List().datasets_size(), 0);
}

TEST_F(DatasetServiceTest, DamageIsToldAndMended) {
  const std::string name = MustUpload(kTable);
  const std::string waiting = CreateQueued(name);
  server_.reset();
  std::filesystem::resize_file(FileOf(name), std::filesystem::file_size(FileOf(name)) / 2);
  Restart({});
  const v1::Fit fit = AwaitEnd(waiting);
  EXPECT_EQ(fit.state(), v1::Fit::STATE_FAILED);
  EXPECT_EQ(fit.error().code(), static_cast<int>(grpc::StatusCode::DATA_LOSS));
  v1::Dataset dataset;
  std::string bytes;
  v1::Fit created;
  for (const grpc::Status& status :
       {GetSet(name, &dataset), DownloadSet(name, &bytes), Create(FitTo(name), &created)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS) << status.error_message();
  }
  ASSERT_EQ(List().datasets_size(), 1);
  EXPECT_EQ(List().datasets(0).error().code(), static_cast<int>(grpc::StatusCode::DATA_LOSS));
  MustUpload(kTable);
  EXPECT_FALSE(List().datasets(0).has_error());
  ASSERT_TRUE(DownloadSet(name, &bytes).ok());
  EXPECT_EQ(bytes, kTable);
}

TEST_F(DatasetServiceTest, ATargetOfADataSetCanBeChecked) {
  const std::string name = MustUpload(kTable);
  grpc::ClientContext context;
  v1::CheckTargetRequest request;
  *request.mutable_target() = FromText<v1::Fit>(FitTo(name)).target();
  v1::CheckTargetResponse response;
  const grpc::Status status = targets_->CheckTarget(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(response.passed());
  EXPECT_THAT(response.coordinate_names(), ElementsAre("beta[intercept]", "beta[temperature]"));
  ASSERT_EQ(response.variables_size(), 1);
  EXPECT_EQ(response.variables(0).name(), "beta");
  EXPECT_THAT(response.variables(0).labels(), ElementsAre("intercept", "temperature"));
}

TEST_F(DatasetServiceTest, TargetsSayWhetherTheyTakeDataSets) {
  grpc::ClientContext context;
  v1::ListTargetsResponse response;
  ASSERT_TRUE(targets_->ListTargets(&context, v1::ListTargetsRequest(), &response).ok());
  std::vector<std::string> taking;
  for (const v1::TargetInfo& target : response.targets()) {
    if (target.takes_dataset()) taking.push_back(target.name());
  }
  EXPECT_THAT(taking, ElementsAre("bayesian_neural_network", "linear_regression",
                                  "logistic_regression", "poisson_regression"));
}

}  // namespace
}  // namespace aisivi::server
