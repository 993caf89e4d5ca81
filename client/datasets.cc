// Data sets: upload in chunks, list, delete, download.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "client/call.h"
#include "client/client.h"
#include "client/status.h"

namespace aisivi {
namespace {

using Writer = grpc::ClientWriter<v1::UploadDatasetRequest>;
using Service = v1::DatasetService::Stub;

constexpr size_t kChunkBytes = 1 << 20;

absl::Status CannotRead() { return absl::DataLossError("the data cannot be read"); }

// Bytes between where the stream stands and its end; -1 when it cannot seek.
int64_t BytesLeft(std::istream& stream) {
  const std::istream::pos_type here = stream.tellg();
  stream.seekg(0, std::ios::end);
  const std::istream::pos_type end = stream.tellg();
  stream.seekg(here);
  return stream.good() && here >= 0 && end >= here ? static_cast<int64_t>(end - here) : -1;
}

// Everything up to the end of the stream, or until the service wants no more: what it then says
// counts.
absl::Status Send(std::istream& csv, int64_t size, const std::string& display_name,
                  Writer& writer) {
  v1::UploadDatasetRequest request;
  request.mutable_metadata()->set_display_name(display_name);
  request.mutable_metadata()->set_size_bytes(size);
  bool wanted = writer.Write(request);
  for (int64_t offset = 0; offset < size && wanted;) {
    std::string* data = request.mutable_chunk()->mutable_data();
    data->resize(std::min(kChunkBytes, static_cast<size_t>(size - offset)));
    csv.read(data->data(), static_cast<std::streamsize>(data->size()));
    if (csv.gcount() != static_cast<std::streamsize>(data->size())) return CannotRead();
    request.mutable_chunk()->set_offset(offset);
    offset += csv.gcount();
    wanted = writer.Write(request);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Dataset> Client::UploadDataset(std::istream& csv,
                                                  const std::string& display_name) const {
  const int64_t size = BytesLeft(csv);
  if (size < 0) return CannotRead();
  grpc::ClientContext context;
  v1::Dataset dataset;
  const std::unique_ptr<Writer> writer = datasets_->UploadDataset(&context, &dataset);
  const absl::Status sent = Send(csv, size, display_name, *writer);
  if (!sent.ok()) context.TryCancel();
  writer->WritesDone();
  const absl::Status finished = FromGrpcStatus(writer->Finish());
  if (!sent.ok()) return sent;
  if (!finished.ok()) return finished;
  return dataset;
}

absl::StatusOr<v1::Dataset> Client::GetDataset(const std::string& name) const {
  v1::GetDatasetRequest request;
  request.set_name(name);
  return Call(*datasets_, &Service::GetDataset, request);
}

absl::StatusOr<std::vector<v1::Dataset>> Client::ListDatasets(int64_t limit) const {
  constexpr int64_t kLargestPage = 1000;
  std::vector<v1::Dataset> datasets;
  v1::ListDatasetsRequest request;
  do {
    const int64_t wanted = limit > 0 ? limit - static_cast<int64_t>(datasets.size()) : kLargestPage;
    request.set_page_size(static_cast<int32_t>(std::min(wanted, kLargestPage)));
    absl::StatusOr<v1::ListDatasetsResponse> page =
        Call(*datasets_, &Service::ListDatasets, request);
    if (!page.ok()) return page.status();
    for (v1::Dataset& dataset : *page->mutable_datasets()) datasets.push_back(std::move(dataset));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() &&
           (limit <= 0 || static_cast<int64_t>(datasets.size()) < limit));
  return datasets;
}

absl::Status Client::DeleteDataset(const std::string& name) const {
  v1::DeleteDatasetRequest request;
  request.set_name(name);
  return Call(*datasets_, &Service::DeleteDataset, request).status();
}

absl::Status Client::DownloadDataset(const std::string& name, std::ostream& out) const {
  v1::DownloadDatasetRequest request;
  request.set_name(name);
  grpc::ClientContext context;
  const auto reader = datasets_->DownloadDataset(&context, request);
  v1::DownloadDatasetResponse response;
  while (out.good() && reader->Read(&response)) {
    out.write(response.data().data(), static_cast<std::streamsize>(response.data().size()));
  }
  const bool written = out.good();
  if (!written) context.TryCancel();
  const absl::Status finished = FromGrpcStatus(reader->Finish());
  return written ? finished : absl::DataLossError("cannot be written");
}

}  // namespace aisivi
