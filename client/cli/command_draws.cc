// aisivi draws.
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/draws_csv.h"
#include "client/cli/out_file.h"
#include "client/cli/output.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

struct DrawsFlags {
  std::string name;
  std::string out;
  DrawsOptions draws;
};

absl::StatusOr<DrawsHeader> MakeHeader(const Client& client, const DrawsFlags& flags) {
  const absl::StatusOr<v1::Fit> fit = client.GetFit(FitName(flags.name));
  if (!fit.ok()) return fit.status();
  DrawsHeader header;
  header.fit = fit->name();
  header.method = MethodName(*fit);
  header.target = TargetName(*fit);
  header.count = flags.draws.count;
  header.seed = flags.draws.seed;
  header.resampled = flags.draws.resample;
  return header;
}

// Names and means, from a summary.
absl::Status AddMeans(const Client& client, const DrawsFlags& flags, DrawsHeader* header) {
  SummaryOptions options;
  options.seed = flags.draws.seed;
  options.unconstrained = flags.draws.unconstrained;
  const absl::StatusOr<v1::PosteriorSummary> summary = client.Summary(FitName(flags.name), options);
  if (!summary.ok()) return summary.status();
  for (const v1::CoordinateSummary& coordinate : summary->coordinates()) {
    header->names.push_back(coordinate.name());
    header->mean.push_back(coordinate.mean());
  }
  return absl::OkStatus();
}

absl::Status Flush(std::ostream& out) {
  out.flush();
  return out.good() ? absl::OkStatus() : absl::DataLossError("cannot be written");
}

absl::Status WriteStream(const Client& client, const DrawsFlags& flags, DrawsHeader header,
                         std::ostream& out) {
  if (absl::Status s = AddMeans(client, flags, &header); !s.ok()) return s;
  WriteDrawsHeader(header, out);
  const absl::Status status =
      client.StreamDraws(header.fit, flags.draws, [&out](const v1::DrawsChunk& chunk) {
        WriteDraws(chunk, out);
        return out.good() ? absl::OkStatus() : absl::DataLossError("cannot be written");
      });
  return status.ok() ? Flush(out) : status;
}

// The mean, which comes first, is that of the draws themselves, so they are gathered.
absl::Status WriteResampled(const Client& client, const DrawsFlags& flags, DrawsHeader header,
                            std::ostream& out) {
  std::vector<v1::DrawsChunk> chunks;
  const absl::Status status =
      client.StreamDraws(header.fit, flags.draws, [&](const v1::DrawsChunk& chunk) {
        if (chunks.empty()) {
          header.names.assign(chunk.coordinate_names().begin(), chunk.coordinate_names().end());
          header.mean.assign(header.names.size(), 0.0);
        }
        if (header.names.empty())
          return absl::DataLossError("the service sent draws without names");
        for (int i = 0; i < chunk.values_size(); ++i) {
          header.mean[static_cast<size_t>(i) % header.names.size()] +=
              chunk.values(i) / static_cast<double>(header.count);
        }
        chunks.push_back(chunk);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  WriteDrawsHeader(header, out);
  for (const v1::DrawsChunk& chunk : chunks) WriteDraws(chunk, out);
  return Flush(out);
}

absl::Status Write(const Client& client, const DrawsFlags& flags, std::ostream& out) {
  const absl::StatusOr<DrawsHeader> header = MakeHeader(client, flags);
  if (!header.ok()) return header.status();
  return flags.draws.resample ? WriteResampled(client, flags, *header, out)
                              : WriteStream(client, flags, *header, out);
}

// One object for each chunk, in the form of the API.
absl::Status WriteJson(const Client& client, const DrawsFlags& flags) {
  return client.StreamDraws(FitName(flags.name), flags.draws,
                            [](const v1::DrawsChunk& chunk) { return PrintJson(chunk); });
}

absl::Status RunDraws(const DrawsFlags& flags, const Globals& globals) {
  const Client client(globals.server);
  if (flags.out.empty()) {
    return globals.json ? WriteJson(client, flags) : Write(client, flags, std::cout);
  }
  const absl::Status written =
      WriteOutFile(flags.out, [&](std::ostream& out) { return Write(client, flags, out); });
  if (!written.ok()) return written;
  if (globals.json) {
    // The request says what the file holds.
    v1::StreamDrawsRequest request;
    request.set_name(FitName(flags.name));
    request.set_count(flags.draws.count);
    request.set_seed(flags.draws.seed);
    request.set_resample(flags.draws.resample);
    request.set_force(flags.draws.force);
    if (flags.draws.unconstrained) request.set_scale(v1::DRAW_SCALE_UNCONSTRAINED);
    return PrintJson(request);
  }
  return Print(absl::StrCat(flags.draws.count, " draws written to ", flags.out, "\n"));
}

}  // namespace

void AddDrawsCommand(CLI::App& app, const Globals& globals, Action* action) {
  const auto flags = std::make_shared<DrawsFlags>();
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
  AddUnconstrained(command, &flags->draws.unconstrained);
  CLI::Option* resample =
      command->add_flag("--resample", flags->draws.resample,
                        "Draws resampled by their importance weights, closer to the posterior");
  command
      ->add_flag("--force", flags->draws.force, "Resample even where the weights cannot be trusted")
      ->needs(resample);
  command->callback(
      [=, &globals] { *action = [=, &globals] { return RunDraws(*flags, globals); }; });
}

}  // namespace aisivi::cli
