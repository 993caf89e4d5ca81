#include "server/store/dataset_upload.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/time_util.h"
#include "server/status.h"
#include "server/store/dataset_name.h"
#include "server/store/durable_file.h"

namespace aisivi::server {
namespace {

using google::protobuf::util::TimeUtil;

// What is wrong with the table, at the field that carries it.
absl::Status AtData(const absl::Status& status) {
  return absl::IsInvalidArgument(status) ? FieldError("chunk.data", status.message()) : status;
}

}  // namespace

DatasetUpload::DatasetUpload(DatasetStore* store, std::string path, Descriptor fd,
                             std::string display_name, int64_t size_bytes)
    : store_(store),
      path_(std::move(path)),
      fd_(std::move(fd)),
      display_name_(std::move(display_name)),
      size_bytes_(size_bytes),
      table_({.source = "", .header_required = true}, nullptr) {}

DatasetUpload::~DatasetUpload() {
  ::unlink(path_.c_str());
  store_->Release(reserved_);
}

absl::Status DatasetUpload::Write(absl::string_view bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (size > size_bytes_ - received_) {
    return FieldError("chunk.data", absl::StrCat("has more bytes than the ", size_bytes_,
                                                 " that metadata.size_bytes announced"));
  }
  absl::Status status = store_->Reserve(size);
  if (!status.ok()) return status;
  reserved_ += size;
  received_ += size;
  if (status = table_.Feed(bytes); !status.ok()) return AtData(status);
  hash_.Update(bytes);
  return WriteAll(fd_.get(), bytes, path_);
}

absl::StatusOr<v1::Dataset> DatasetUpload::Commit() {
  if (received_ != size_bytes_) {
    return FieldError("chunk.data",
                      absl::StrCat("the stream ended after ", received_, " of ", size_bytes_,
                                   " bytes that metadata.size_bytes announced"));
  }
  absl::Status status = table_.Finish();
  if (!status.ok()) return AtData(status);
  v1::Dataset dataset = Describe();
  status = FinishDatasetFile(dataset, fd_.get(), path_);
  if (!status.ok()) return status;
  return store_->Adopt(path_, std::move(dataset));
}

v1::Dataset DatasetUpload::Describe() {
  v1::Dataset dataset;
  dataset.set_sha256(hash_.Finish());
  dataset.set_name(DatasetName(DatasetId(dataset.sha256())));
  dataset.set_display_name(display_name_);
  dataset.set_size_bytes(size_bytes_);
  dataset.set_rows(table_.rows());
  dataset.set_column_count(static_cast<int>(table_.columns().size()));
  for (const CsvColumn& column : table_.columns()) {
    v1::Dataset::Column* message = dataset.add_columns();
    message->set_name(column.name);
    message->set_kind(column.integer ? v1::Dataset::COLUMN_KIND_INTEGER
                                     : v1::Dataset::COLUMN_KIND_REAL);
    message->set_minimum(column.minimum);
    message->set_maximum(column.maximum);
  }
  *dataset.mutable_create_time() = TimeUtil::NanosecondsToTimestamp(absl::GetCurrentTimeNanos());
  return dataset;
}

}  // namespace aisivi::server
