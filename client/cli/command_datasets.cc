// aisivi datasets upload, list, show, delete, download.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/dataset_flags.h"
#include "client/cli/out_file.h"
#include "client/cli/output.h"
#include "client/cli/terminal.h"

namespace aisivi::cli {
namespace {

std::string Created(const v1::Dataset& dataset) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S",
                          absl::FromUnixSeconds(dataset.create_time().seconds()),
                          absl::LocalTimeZone());
}

std::string Shape(const v1::Dataset& dataset) {
  return absl::StrCat(dataset.rows(), " rows, ", dataset.column_count(), " columns");
}

absl::StatusOr<v1::Dataset> UploadFile(const Client& client, const std::string& file,
                                       const std::string& display_name) {
  if (file == "-") {
    std::istringstream input(
        std::string((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>()));
    return client.UploadDataset(input, display_name);
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  // A directory opens well and fails at the first read only.
  if (!stream || (stream.peek() == std::char_traits<char>::eof() && errno != 0)) {
    return absl::InvalidArgumentError(absl::StrCat("FILE: ", file, ": ", std::strerror(errno)));
  }
  stream.clear();
  return client.UploadDataset(stream, display_name);
}

absl::Status Upload(const std::string& file, const std::string& display_name,
                    const Globals& globals) {
  const absl::StatusOr<v1::Dataset> dataset =
      UploadFile(Client(globals.server), file, display_name);
  if (!dataset.ok()) return dataset.status();
  if (globals.json) return PrintJson(*dataset);
  std::string text = Printable(dataset->name()) + "\n";
  if (IsTerminal()) absl::StrAppend(&text, Styled(Style::kDim, Shape(*dataset)), "\n");
  return Print(text);
}

absl::Status ListDatasets(int64_t limit, const Globals& globals) {
  absl::StatusOr<std::vector<v1::Dataset>> datasets = Client(globals.server).ListDatasets(limit);
  if (!datasets.ok()) return datasets.status();
  if (globals.json) {
    for (const v1::Dataset& dataset : *datasets) {
      const absl::Status printed = PrintJson(dataset);
      if (!printed.ok()) return printed;
    }
    return absl::OkStatus();
  }
  if (datasets->empty()) return Print("no data sets\n");
  Table table({"<NAME", "ROWS", "COLUMNS", "BYTES", "<CREATED", "<DISPLAY NAME"});
  for (v1::Dataset& dataset : *datasets) {
    MakePrintable(&dataset);
    const bool damaged = dataset.has_error();
    table.AddRow({dataset.name(), damaged ? "-" : absl::StrCat(dataset.rows()),
                  damaged ? "-" : absl::StrCat(dataset.column_count()),
                  absl::StrCat(dataset.size_bytes()), Created(dataset),
                  damaged ? Styled(Style::kRed, "damaged") : dataset.display_name()});
  }
  return Print(table.ToString());
}

absl::Status Show(const std::string& name, const Globals& globals) {
  absl::StatusOr<v1::Dataset> dataset = Client(globals.server).GetDataset(DatasetName(name));
  if (!dataset.ok()) return dataset.status();
  if (globals.json) return PrintJson(*dataset);
  MakePrintable(&*dataset);
  Table table({"<COLUMN", "<KIND", "MINIMUM", "MAXIMUM"});
  for (const v1::Dataset::Column& column : dataset->columns()) {
    const bool integer = column.kind() == v1::Dataset::COLUMN_KIND_INTEGER;
    const auto number = [integer](double value) {
      return integer ? absl::StrCat(static_cast<int64_t>(value)) : FormatNumber(value);
    };
    table.AddRow({column.name(), integer ? "integer" : "real", number(column.minimum()),
                  number(column.maximum())});
  }
  return Print(absl::StrCat(
      Styled(Style::kBold, dataset->name()),
      dataset->display_name().empty() ? "" : absl::StrCat("  ", dataset->display_name()), "\n  ",
      Shape(*dataset), ", ", dataset->size_bytes(), " bytes, uploaded ", Created(*dataset),
      "\n  SHA-256 ", dataset->sha256(), "\n", table.ToString()));
}

absl::Status DeleteDataset(const std::string& name, const Globals& globals) {
  const absl::Status deleted = Client(globals.server).DeleteDataset(DatasetName(name));
  if (!deleted.ok()) return deleted;
  if (!globals.json) return Print(absl::StrCat(DatasetName(name), "  deleted\n"));
  v1::DeleteDatasetRequest request;
  request.set_name(DatasetName(name));
  return PrintJson(request);
}

absl::Status Download(const std::string& name, const std::string& out, const Globals& globals) {
  const Client client(globals.server);
  if (out.empty()) {
    const absl::Status status = client.DownloadDataset(DatasetName(name), std::cout);
    std::cout.flush();
    return status;
  }
  const absl::Status written = WriteOutFile(
      out, [&](std::ostream& file) { return client.DownloadDataset(DatasetName(name), file); });
  if (!written.ok()) return written;
  if (!globals.json) return Print(absl::StrCat(DatasetName(name), " written to ", out, "\n"));
  v1::DownloadDatasetRequest request;
  request.set_name(DatasetName(name));
  return PrintJson(request);
}

CLI::App* AddOne(CLI::App* datasets, const char* command, const char* help, std::string* name) {
  CLI::App* app = datasets->add_subcommand(command, help);
  app->add_option("NAME", *name, "The data set: datasets/ID, or ID alone")->required();
  return app;
}

}  // namespace

void AddDatasetsCommand(CLI::App& app, const Globals& globals, Action* action) {
  struct Flags {
    std::string file;
    std::string display_name;
    std::string name;
    std::string out;
    int64_t limit = 50;
  };
  const auto flags = std::make_shared<Flags>();
  CLI::App* datasets =
      app.add_subcommand("datasets", "Data sets that fits name: upload, list, show, delete …");
  datasets->require_subcommand(1);

  CLI::App* upload = datasets->add_subcommand(
      "upload", "Upload CSV whose first line names the columns, and print its name");
  upload->add_option("FILE", flags->file, "The file; - reads standard input")->required();
  upload->add_option("--display_name", flags->display_name, "Free text for people")
      ->type_name("TEXT");
  upload->callback([=, &globals] {
    *action = [=, &globals] { return Upload(flags->file, flags->display_name, globals); };
  });

  CLI::App* list = datasets->add_subcommand("list", "List the data sets, newest first");
  list->add_option("--limit", flags->limit, "At most so many; 0: all (default 50)")
      ->type_name("N")
      ->check(AtLeast(0));
  list->callback(
      [=, &globals] { *action = [=, &globals] { return ListDatasets(flags->limit, globals); }; });

  AddOne(datasets, "show", "Show a data set and its columns", &flags->name)
      ->callback([=, &globals] { *action = [=, &globals] { return Show(flags->name, globals); }; });
  AddOne(datasets, "delete", "Delete a data set that no fit names", &flags->name)
      ->callback([=, &globals] {
        *action = [=, &globals] { return DeleteDataset(flags->name, globals); };
      });
  CLI::App* download =
      AddOne(datasets, "download", "The data set as it was uploaded", &flags->name);
  download->add_option("--out", flags->out, "File to write; standard output if not given")
      ->type_name("FILE");
  download->callback([=, &globals] {
    *action = [=, &globals] { return Download(flags->name, flags->out, globals); };
  });
}

}  // namespace aisivi::cli
