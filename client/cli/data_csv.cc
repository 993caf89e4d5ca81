#include "client/cli/data_csv.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "client/cli/parameter.h"

namespace aisivi::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct Table {
  std::vector<std::string> header;
  v1::Matrix values;
};

std::vector<absl::string_view> SplitCells(absl::string_view line) {
  std::vector<absl::string_view> cells = absl::StrSplit(line, ',');
  for (absl::string_view& cell : cells) {
    cell = absl::StripAsciiWhitespace(cell);
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
      cell = cell.substr(1, cell.size() - 2);
    }
  }
  return cells;
}

// A first line without a single number names the columns. One that mixes names and numbers is a
// line of data with a mistake in it.
bool IsHeader(const std::vector<absl::string_view>& cells) {
  double value;
  bool named = false;
  for (const absl::string_view cell : cells) {
    if (absl::SimpleAtod(cell, &value)) return false;
    named = named || !cell.empty();
  }
  return named;
}

absl::Status Wrong(const std::string& source, int line, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(source, ":", line, ": ", what));
}

absl::Status AppendRow(const std::string& source, int line,
                       const std::vector<absl::string_view>& cells, v1::Matrix* values) {
  const int columns = static_cast<int>(cells.size());
  if (columns != values->columns()) {
    return Wrong(source, line,
                 absl::StrCat(columns, " cells, the lines before it have ", values->columns()));
  }
  for (int c = 0; c < columns; ++c) {
    double value;
    const std::string column = absl::StrCat("column ", c + 1, ": ");
    if (cells[c].empty()) return Wrong(source, line, column + "the cell is empty");
    if (!absl::SimpleAtod(cells[c], &value)) {
      return Wrong(source, line, absl::StrCat(column, "'", cells[c], "' is not a number"));
    }
    if (!std::isfinite(value)) {
      return Wrong(source, line, absl::StrCat(column, "'", cells[c], "' is not a finite number"));
    }
    values->add_values(value);
  }
  values->set_rows(values->rows() + 1);
  return absl::OkStatus();
}

absl::StatusOr<Table> ReadTable(const std::string& source, std::istream& stream) {
  Table table;
  std::string text;
  for (int line = 1; std::getline(stream, text); ++line) {
    absl::string_view view = text;
    if (line == 1) absl::ConsumePrefix(&view, "\xEF\xBB\xBF");
    view = absl::StripAsciiWhitespace(view);
    if (view.empty() || view.front() == '#') continue;
    const std::vector<absl::string_view> cells = SplitCells(view);
    if (table.values.columns() == 0) {
      table.values.set_columns(static_cast<int>(cells.size()));
      if (IsHeader(cells)) {
        for (const absl::string_view cell : cells) table.header.emplace_back(cell);
        continue;
      }
    }
    const absl::Status appended = AppendRow(source, line, cells, &table.values);
    if (!appended.ok()) return appended;
  }
  if (stream.bad()) return absl::DataLossError(absl::StrCat(source, ": cannot be read"));
  if (table.values.rows() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(source, ": there are no data in it"));
  }
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
