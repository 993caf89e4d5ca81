#include "server/stan/compiler.h"

#include <signal.h>

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/stan/array_syntax.h"
#include "server/stan/child_process.h"
#include "server/stan/host_sources.h"
#include "server/store/durable_file.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

// Ten times what programs of a page take, at the 1.5 GB that were measured.
constexpr int64_t kMemory = int64_t{3} << 30;
constexpr int64_t kFile = int64_t{256} << 20;
constexpr int kProcesses = 32;
constexpr SandboxLimits kTranslateLimits = {30, kMemory, kFile, kProcesses};
constexpr SandboxLimits kCompileLimits = {120, kMemory, kFile, kProcesses};
// For a machine that has other things to do.
constexpr int kWallFactor = 4;
constexpr size_t kMaxOutput = 64 << 10;
// Of an error, which travels in a trailer.
constexpr size_t kMaxText = 2000;

struct Step {
  const char* what;  // "translate the program"
  SandboxLimits limits;
  std::vector<std::string> command;
};

absl::Status TooMuch(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("takes ", what, ": the limit for a program"));
}

// What the program, not the machine, is to blame for.
absl::Status Outcome(const Step& step, const CommandResult& result) {
  const absl::string_view output = absl::StripAsciiWhitespace(result.output);
  if (result.timed_out || result.end.signal == SIGXCPU ||
      (result.end.signal == SIGKILL && output.empty())) {
    return TooMuch(absl::StrCat("more than ", step.limits.cpu_seconds, " s to ", step.what));
  }
  if (absl::StrContains(output, "out of memory") || absl::StrContains(output, "bad_alloc") ||
      absl::StrContains(output, "virtual memory exhausted")) {
    return TooMuch(absl::StrCat("more than ", kMemory >> 30, " GiB to ", step.what));
  }
  if (result.end.signal == SIGXFSZ || absl::StrContains(output, "File size limit")) {
    return TooMuch(absl::StrCat("files of more than ", kFile >> 20, " MiB to ", step.what));
  }
  if (result.end.signal != 0) {
    return absl::InvalidArgumentError(absl::StrCat("crashes the compiler (signal ",
                                                   result.end.signal, ") that is to ", step.what));
  }
  if (result.end.exit_code == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(Shortened(output, kMaxText));
}

// Of g++: its first error, since all of them come from the same line of the program.
absl::Status CppError(const absl::Status& status) {
  for (const absl::string_view line : absl::StrSplit(status.message(), '\n')) {
    if (absl::StrContains(line, "error:")) {
      return absl::InvalidArgumentError(
          absl::StrCat("its translation to C++ does not compile: ", Shortened(line, kMaxText)));
    }
  }
  return status;
}

absl::Status WriteSources(const StanToolchain& toolchain, const std::string& program,
                          const std::string& directory) {
  std::vector<std::pair<std::string, std::string>> files = StanHostSources();
  files.emplace_back("program.stan", toolchain.old_arrays ? WithOldArrays(program) : program);
  files.emplace_back("translate.R", TranslateScript());
  for (const auto& [name, content] : files) {
    if (absl::Status status = WriteFileDurably(absl::StrCat(directory, "/", name), content);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> CompileCommand(const StanToolchain& toolchain,
                                        const std::string& directory) {
  std::vector<std::string> command = {toolchain.compiler};
  command.insert(command.end(), toolchain.flags.begin(), toolchain.flags.end());
  // All symbols are found at the start: later no file may be read.
  command.insert(command.end(),
                 {absl::StrCat(directory, "/host.cc"), absl::StrCat(directory, "/program.cc"), "-o",
                  absl::StrCat(directory, "/model"), "-s", "-Wl,-z,now"});
  command.insert(command.end(), toolchain.libraries.begin(), toolchain.libraries.end());
  return command;
}

absl::Status Run(const Step& step, const StanToolchain& toolchain, SandboxKind sandbox,
                 const std::string& directory, const std::atomic<bool>* cancel) {
  SandboxPaths paths;
  if (!toolchain.home.empty()) paths.read_only.push_back(toolchain.home);
  paths.writable = directory;
  const absl::StatusOr<CommandResult> result =
      RunCommand(Sandboxed(sandbox, paths, step.limits, step.command),
                 absl::Seconds(kWallFactor * step.limits.cpu_seconds), kMaxOutput, cancel);
  return result.ok() ? Outcome(step, *result) : result.status();
}

}  // namespace

absl::Status CompileStan(const StanToolchain& toolchain, SandboxKind sandbox,
                         const std::string& program, const std::string& directory,
                         const std::atomic<bool>* cancel) {
  absl::Status status = WriteSources(toolchain, program, directory);
  if (!status.ok()) return status;
  const auto path = [&](absl::string_view name) { return absl::StrCat(directory, "/", name); };
  const Step translate = {
      "translate", kTranslateLimits,
      TranslateCommand(toolchain, path("translate.R"), path("program.stan"), path("program.cc"))};
  status = Run(translate, toolchain, sandbox, directory, cancel);
  if (!status.ok()) return status;
  const Step compile = {"compile", kCompileLimits, CompileCommand(toolchain, directory)};
  status = Run(compile, toolchain, sandbox, directory, cancel);
  return absl::IsInvalidArgument(status) ? CppError(status) : status;
}

std::string CompilerIdentity(const StanToolchain& toolchain) {
  std::string identity = absl::StrCat(toolchain.identity, "\n", TranslateScript());
  for (const auto& [name, content] : StanHostSources()) absl::StrAppend(&identity, content);
  return absl::StrCat(identity, absl::StrJoin(CompileCommand(toolchain, ""), " "));
}

}  // namespace aisivi::server
