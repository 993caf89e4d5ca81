// aisivi draws.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/draws_csv.h"
#include "client/cli/output.h"

namespace aisivi::cli {
namespace {

struct Flags {
  std::string name;
  std::string out;
  DrawsOptions draws;
};

absl::StatusOr<DrawsHeader> MakeHeader(const Client& client, const Flags& flags) {
  const std::string name = FitName(flags.name);
  const absl::StatusOr<v1::Fit> fit = client.GetFit(name);
  if (!fit.ok()) return fit.status();
  SummaryOptions options;
  options.seed = flags.draws.seed;
  const absl::StatusOr<v1::PosteriorSummary> summary = client.Summary(name, options);
  if (!summary.ok()) return summary.status();
  DrawsHeader header = {
      name, fit->method(), TargetName(*fit), flags.draws.count, flags.draws.seed, {}, {}};
  for (const v1::CoordinateSummary& coordinate : summary->coordinates()) {
    header.names.push_back(coordinate.name());
    header.mean.push_back(coordinate.mean());
  }
  return header;
}

absl::Status Write(const Client& client, const Flags& flags, std::ostream& out) {
  const absl::StatusOr<DrawsHeader> header = MakeHeader(client, flags);
  if (!header.ok()) return header.status();
  WriteDrawsHeader(*header, out);
  const absl::Status status =
      client.StreamDraws(header->fit, flags.draws, [&out](const v1::DrawsChunk& chunk) {
        WriteDraws(chunk, out);
        return out.good() ? absl::OkStatus() : absl::DataLossError("cannot be written");
      });
  if (!status.ok()) return status;
  out.flush();
  return out.good() ? absl::OkStatus() : absl::DataLossError("cannot be written");
}

// A file appears under its name only when it is complete.
absl::Status WriteFile(const Client& client, const Flags& flags) {
  const std::string partial = absl::StrCat(flags.out, ".partial");
  errno = 0;
  std::ofstream file(partial, std::ios::trunc);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out: ", flags.out, ": ", std::strerror(errno)));
  }
  const absl::Status written = Write(client, flags, file);
  file.close();
  std::error_code error;
  if (written.ok() && !file.fail()) std::filesystem::rename(partial, flags.out, error);
  if (!written.ok() || file.fail() || error) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
  }
  if (!written.ok()) return written;
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat("--out: ", flags.out, ": ", error.message()));
  }
  return file.fail()
             ? absl::DataLossError(absl::StrCat("--out: ", flags.out, ": cannot be written"))
             : absl::OkStatus();
}

// One object for each chunk, in the form of the API.
absl::Status WriteJson(const Client& client, const Flags& flags) {
  return client.StreamDraws(FitName(flags.name), flags.draws,
                            [](const v1::DrawsChunk& chunk) { return PrintJson(chunk); });
}

absl::Status RunDraws(const Flags& flags, const Globals& globals) {
  const Client client(globals.server);
  if (flags.out.empty()) {
    return globals.json ? WriteJson(client, flags) : Write(client, flags, std::cout);
  }
  const absl::Status written = WriteFile(client, flags);
  if (!written.ok()) return written;
  if (globals.json) {
    // The request says what the file holds.
    v1::StreamDrawsRequest request;
    request.set_name(FitName(flags.name));
    request.set_count(flags.draws.count);
    request.set_seed(flags.draws.seed);
    return PrintJson(request);
  }
  return Print(absl::StrCat(flags.draws.count, " draws written to ", flags.out, "\n"));
}

}  // namespace

void AddDrawsCommand(CLI::App& app, const Globals& globals, Action* action) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("draws", "Draws from a fitted posterior, as CSV in CmdStan's layout");
  AddName(command, &flags->name);
  command->add_option("--count", flags->draws.count, "Number of draws (default 1000)")
      ->type_name("N")
      ->check(AtLeast(1));
  command->add_option("--seed", flags->draws.seed, "Names the sequence of draws (default 0)")
      ->type_name("N");
  command->add_option("--out", flags->out, "File to write; standard output if not given")
      ->type_name("FILE");
  command
      ->add_option("--inner_samples", flags->draws.inner_samples,
                   "K for log q (default: the fit's evidence_inner_samples)")
      ->type_name("K")
      ->check(AtLeast(0));
  command->callback(
      [=, &globals] { *action = [=, &globals] { return RunDraws(*flags, globals); }; });
}

}  // namespace aisivi::cli
