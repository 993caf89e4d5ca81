#include "server/services/dataset_upload_reactor.h"

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/services/heavy_reactor.h"
#include "server/status.h"
#include "server/store/dataset_upload.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

using Request = v1::UploadDatasetRequest;

constexpr size_t kMaxChunk = 4 << 20;
constexpr size_t kMaxDisplayName = 256;

absl::Status CheckMetadata(const Request::Metadata& metadata) {
  if (metadata.display_name().size() > kMaxDisplayName) {
    return FieldError("metadata.display_name",
                      absl::StrCat("has more than ", kMaxDisplayName, " bytes"));
  }
  if (HasControlCharacters(metadata.display_name())) {
    return FieldError("metadata.display_name",
                      absl::StrCat("has control characters: ", Quoted(metadata.display_name())));
  }
  if (metadata.size_bytes() < 1) {
    return FieldError("metadata.size_bytes",
                      absl::StrCat("must be at least 1, is ", metadata.size_bytes()));
  }
  return absl::OkStatus();
}

class UploadReactor final : public HeavyReactor<grpc::ServerReadReactor<Request>> {
 public:
  UploadReactor(HeavyWork* work, IdleWatch* idle, DatasetStore* datasets, v1::Dataset* response)
      : HeavyReactor(work), idle_(idle), datasets_(datasets), response_(response) {
    Enter();
  }
  ~UploadReactor() override { idle_->Forget(this); }

  void OnReadDone(bool ok) override {
    if (!EndReading()) return;  // given up, and ended already
    idle_->Forget(this);
    next_ = ok ? Next::kMessage : Next::kEnd;
    Continue();
  }

 private:
  enum class Next { kBegin, kMessage, kEnd };

  void Run() override {
    const absl::StatusOr<bool> more =
        Try<bool>([this](const std::atomic<bool>*) { return Step(); });
    if (more.ok() && *more) return AwaitMessage();
    // Nothing of it is left once the client knows.
    upload_.reset();
    End(more.status());
  }

  void AwaitMessage() {
    // Held, so that nothing ends this before the read has begun.
    const std::lock_guard<std::mutex> lock(reading_mutex_);
    reading_ = true;
    idle_->Watch(this, [this] { GiveUp(); });
    StartRead(&request_);
  }

  // False when that was done before.
  bool EndReading() {
    const std::lock_guard<std::mutex> lock(reading_mutex_);
    return std::exchange(reading_, false);
  }

  // While a message is awaited nothing else touches this; and it is not deleted before the watch
  // has returned from here.
  void GiveUp() {
    if (!EndReading()) return;
    upload_.reset();
    End(absl::DeadlineExceededError(
        absl::StrCat("no message has come for ", absl::FormatDuration(idle_->patience()))));
  }

  // Whether there is more to read.
  absl::StatusOr<bool> Step() {
    if (next_ == Next::kBegin) return true;
    absl::Status status = next_ == Next::kMessage ? Take() : Commit();
    if (!status.ok()) return status;
    return next_ == Next::kMessage;
  }

  absl::Status Take() {
    if (request_.has_metadata()) return Open(request_.metadata());
    if (upload_ == nullptr) return FieldError("metadata", "is required in the first message");
    if (!request_.has_chunk()) return FieldError("chunk", "is required after the first message");
    const Request::Chunk& chunk = request_.chunk();
    if (chunk.offset() != upload_->received_bytes()) {
      return FieldError("chunk.offset",
                        absl::StrCat("is ", chunk.offset(), ", and ", upload_->received_bytes(),
                                     " bytes have come: a chunk is missing, comes twice or is out "
                                     "of order"));
    }
    if (chunk.data().size() > kMaxChunk) {
      return FieldError("chunk.data", absl::StrCat("has ", chunk.data().size(), " bytes; at most ",
                                                   kMaxChunk, " at once"));
    }
    return upload_->Write(chunk.data());
  }

  absl::Status Open(const Request::Metadata& metadata) {
    if (upload_ != nullptr) return FieldError("metadata", "comes in the first message only");
    if (absl::Status status = CheckMetadata(metadata); !status.ok()) return status;
    absl::StatusOr<std::unique_ptr<DatasetUpload>> upload =
        datasets_->Begin(metadata.display_name(), metadata.size_bytes());
    if (!upload.ok()) return upload.status();
    upload_ = *std::move(upload);
    return absl::OkStatus();
  }

  absl::Status Commit() {
    if (upload_ == nullptr) return FieldError("metadata", "is required in the first message");
    absl::StatusOr<v1::Dataset> dataset = upload_->Commit();
    if (dataset.ok()) *response_ = *std::move(dataset);
    return dataset.status();
  }

  IdleWatch* const idle_;
  DatasetStore* const datasets_;
  v1::Dataset* const response_;
  Next next_ = Next::kBegin;
  Request request_;  // the one being read
  std::unique_ptr<DatasetUpload> upload_;
  std::mutex reading_mutex_;
  bool reading_ = false;  // a message is awaited
};

}  // namespace

grpc::ServerReadReactor<Request>* StartUpload(HeavyWork* work, IdleWatch* idle,
                                              DatasetStore* datasets, v1::Dataset* response) {
  return new UploadReactor(work, idle, datasets, response);
}

}  // namespace aisivi::server
