#include "client/cli/data_csv.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/cli/parameter.h"
#include "engine/data/csv_table.h"

namespace aisivi::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kBlock = 256 << 10;

struct Table {
  std::vector<std::string> header;
  v1::Matrix values;
};

absl::Status ReadInto(CsvTableReader& reader, const std::string& source, std::istream& stream) {
  std::string block(kBlock, '\0');
  while (stream) {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    const auto got = static_cast<size_t>(stream.gcount());
    const absl::Status fed = reader.Feed(absl::string_view(block).substr(0, got));
    if (!fed.ok()) return fed;
  }
  if (stream.bad()) return absl::DataLossError(absl::StrCat(source, ": cannot be read"));
  return reader.Finish();
}

absl::StatusOr<Table> ReadTable(const std::string& source, std::istream& stream) {
  Table table;
  CsvTableReader reader({.source = source}, [&table](std::span<const double> row) {
    table.values.mutable_values()->Add(row.begin(), row.end());
    return absl::OkStatus();
  });
  const absl::Status read = ReadInto(reader, source, stream);
  if (!read.ok()) return read;
  table.values.set_rows(static_cast<int>(reader.rows()));
  table.values.set_columns(static_cast<int>(reader.columns().size()));
  if (!reader.has_header()) return table;
  for (const CsvColumn& column : reader.columns()) table.header.push_back(column.name);
  return table;
}

absl::StatusOr<std::ifstream> Open(const std::string& option, const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  // A directory opens well and fails at the first read only.
  if (!stream || stream.peek() == std::char_traits<char>::eof()) {
    const bool empty = stream.eof() && !stream.bad() && errno != EISDIR;
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": ", file, ": ", empty ? "the file is empty" : std::strerror(errno)));
  }
  return stream;
}

}  // namespace

absl::StatusOr<RegressionData> ReadRegressionData(const std::string& source, std::istream& stream) {
  const absl::StatusOr<Table> table = ReadTable(source, stream);
  if (!table.ok()) return table.status();
  const v1::Matrix& values = table->values;
  if (values.columns() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": one column only; a response and at least one feature are needed"));
  }
  RegressionData data;
  if (!table->header.empty()) data.names.assign(table->header.begin() + 1, table->header.end());
  data.x.set_rows(values.rows());
  data.x.set_columns(values.columns() - 1);
  data.x.mutable_values()->Reserve(values.values_size());
  for (int i = 0; i < values.values_size(); ++i) {
    if (i % values.columns() == 0) {
      data.y.push_back(values.values(i));
    } else {
      data.x.add_values(values.values(i));
    }
  }
  return data;
}

absl::Status ReadDataFile(const std::string& file, v1::Fit* fit) {
  std::string path;
  Message* target = ChosenTarget(fit, &path);
  if (target == nullptr) return absl::InvalidArgumentError("--data: needs --target");
  const FieldDescriptor* x = target->GetDescriptor()->FindFieldByName("x");
  const FieldDescriptor* y = target->GetDescriptor()->FindFieldByName("y");
  if (x == nullptr || y == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("--data: ", path, " takes no data"));
  }
  errno = 0;
  absl::StatusOr<std::ifstream> stream = Open("--data", file);
  if (!stream.ok()) return stream.status();
  absl::StatusOr<RegressionData> data = ReadRegressionData(file, *stream);
  if (!data.ok()) {
    return absl::Status(data.status().code(), absl::StrCat("--data: ", data.status().message()));
  }
  target->GetReflection()->MutableMessage(target, x)->CopyFrom(data->x);
  target->GetReflection()->ClearField(target, y);
  for (const double value : data->y) target->GetReflection()->AddDouble(target, y, value);
  return absl::OkStatus();
}

absl::StatusOr<v1::Matrix> ReadPointsFile(const std::string& file, const std::string& option) {
  errno = 0;
  absl::StatusOr<std::ifstream> stream = Open(option, file);
  if (!stream.ok()) return stream.status();
  absl::StatusOr<Table> table = ReadTable(file, *stream);
  if (!table.ok()) {
    return absl::Status(table.status().code(),
                        absl::StrCat(option, ": ", table.status().message()));
  }
  return std::move(table->values);
}

}  // namespace aisivi::cli
