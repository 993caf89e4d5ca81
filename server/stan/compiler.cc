#include "server/stan/compiler.h"

#include <signal.h>

#include <future>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/stan/child_process.h"
#include "server/stan/host_sources.h"
#include "server/stan/old_syntax.h"
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
// What host/prelude.h leaves out of programs in which the word is not part of any.
constexpr absl::string_view kOptional[] = {
    "algebra_solver", "cholesky_decompose", "gaussian_dlm_obs",
    "integrate_1d",   "integrate_ode",      "inverse",
    "matrix_exp",     "matrix_normal_prec", "ordered_logistic_glm"};

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

// Of Stan 2.21: with what the program has that came later, where that did not translate it.
absl::Status WithNewerSyntax(const absl::Status& status, absl::string_view program) {
  if (!absl::IsInvalidArgument(status)) return status;
  std::vector<std::string> newer;
  if (std::string names = NewerNames(program); !names.empty()) newer.push_back(std::move(names));
  for (const char* type : {"int", "real", "vector", "row_vector", "matrix"}) {
    if (absl::StrContains(status.message(),
                          absl::StrCat("Variable \"", type, "\" does not exist"))) {
      newer.emplace_back("a declaration after a statement of its block");
      break;
    }
  }
  if (newer.empty()) return status;
  return absl::InvalidArgumentError(
      absl::StrCat(status.message(), "\nnewer than Stan 2.21, which is installed here: ",
                   absl::StrJoin(newer, ", "), " (the server's --stan_home names a CmdStan)"));
}

absl::Status WriteFiles(const std::vector<std::pair<std::string, std::string>>& files,
                        const std::string& directory) {
  for (const auto& [name, content] : files) {
    if (absl::Status status = WriteFileDurably(absl::StrCat(directory, "/", name), content);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> Compiler(const StanToolchain& toolchain,
                                  const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {toolchain.compiler};
  command.insert(command.end(), toolchain.flags.begin(), toolchain.flags.end());
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

// What is common to all programs, as one object.
std::vector<std::string> HostCommand(const StanToolchain& toolchain, const std::string& directory) {
  std::vector<std::string> command =
      Compiler(toolchain, {"-r", "-nostdlib", "-o", absl::StrCat(directory, "/model"),
                           absl::StrCat(directory, "/host.cc")});
  if (toolchain.slim_headers) command.push_back(absl::StrCat(directory, "/special_functions.cc"));
  return command;
}

// `slim`: with host/prelude.h.
std::vector<std::string> CompileCommand(const StanToolchain& toolchain, bool slim,
                                        absl::string_view program, const std::string& directory) {
  std::vector<std::string> arguments = {"-c", absl::StrCat(directory, "/program.cc"), "-o",
                                        absl::StrCat(directory, "/program.o")};
  if (slim) {
    arguments.insert(arguments.end(), {"-include", absl::StrCat(directory, "/prelude.h")});
    for (const absl::string_view name : kOptional) {
      if (absl::StrContains(program, name)) {
        arguments.push_back(absl::StrCat("-DAISIVI_USES_", name));
      }
    }
  }
  return Compiler(toolchain, arguments);
}

std::vector<std::string> LinkCommand(const StanToolchain& toolchain, const std::string& host,
                                     const std::string& directory) {
  // All symbols are found at the start: later no file may be read.
  std::vector<std::string> arguments = {host, absl::StrCat(directory, "/program.o"),
                                        "-o", absl::StrCat(directory, "/model"),
                                        "-s", "-Wl,-z,now"};
  arguments.insert(arguments.end(), toolchain.libraries.begin(), toolchain.libraries.end());
  return Compiler(toolchain, arguments);
}

// `host`: a file that the step may read; may be empty.
absl::Status Run(const Step& step, const StanToolchain& toolchain, SandboxKind sandbox,
                 const std::string& host, const std::string& directory,
                 const std::atomic<bool>* cancel) {
  SandboxPaths paths;
  if (!toolchain.home.empty()) paths.read_only.push_back(toolchain.home);
  if (!host.empty()) paths.read_only.push_back(host);
  paths.writable = directory;
  const absl::StatusOr<CommandResult> result =
      RunCommand(Sandboxed(sandbox, paths, step.limits, step.command),
                 absl::Seconds(kWallFactor * step.limits.cpu_seconds), kMaxOutput, cancel);
  return result.ok() ? Outcome(step, *result) : result.status();
}

}  // namespace

absl::Status CompileStanHost(const StanToolchain& toolchain, SandboxKind sandbox,
                             const std::string& directory, const std::atomic<bool>* cancel) {
  if (absl::Status status = WriteFiles(StanHostSources(), directory); !status.ok()) return status;
  const Step step = {"compile", kCompileLimits, HostCommand(toolchain, directory)};
  const absl::Status status = Run(step, toolchain, sandbox, "", directory, cancel);
  // No program is to blame.
  return absl::IsInvalidArgument(status)
             ? absl::InternalError(absl::StrCat("what evaluates Stan programs does not compile: ",
                                                CppError(status).message()))
             : status;
}

absl::Status CompileStan(const StanToolchain& toolchain, SandboxKind sandbox,
                         const std::string& program, const StanHost& host,
                         const std::string& directory, const std::atomic<bool>* cancel) {
  std::vector<std::pair<std::string, std::string>> files = StanHostSources();
  files.emplace_back("program.stan", toolchain.old_syntax ? WithOldSyntax(program) : program);
  files.emplace_back("translate.R", TranslateScript());
  absl::Status status = WriteFiles(files, directory);
  if (!status.ok()) return status;
  const auto path = [&](absl::string_view name) { return absl::StrCat(directory, "/", name); };
  const Step translate = {
      "translate", kTranslateLimits,
      TranslateCommand(toolchain, path("translate.R"), path("program.stan"), path("program.cc"))};
  status = Run(translate, toolchain, sandbox, "", directory, cancel);
  if (!status.ok()) return toolchain.old_syntax ? WithNewerSyntax(status, program) : status;
  // Beside the program, so that the first one takes no longer than the others.
  std::future<absl::StatusOr<std::string>> object =
      std::async(std::launch::async, [&] { return host(cancel); });
  const auto compile = [&](bool slim) {
    const Step step = {"compile", kCompileLimits,
                       CompileCommand(toolchain, slim, program, directory)};
    return Run(step, toolchain, sandbox, "", directory, cancel);
  };
  status = compile(toolchain.slim_headers);
  const absl::StatusOr<std::string> linked = object.get();
  if (!linked.ok()) return linked.status();
  const Step link = {"compile", kCompileLimits, LinkCommand(toolchain, *linked, directory)};
  const auto run_link = [&] { return Run(link, toolchain, sandbox, *linked, directory, cancel); };
  if (status.ok()) status = run_link();
  // Should it need what was left out.
  if (toolchain.slim_headers && absl::IsInvalidArgument(status) &&
      absl::StrContains(status.message(), "error:")) {
    status = compile(false);
    if (status.ok()) status = run_link();
  }
  return absl::IsInvalidArgument(status) ? CppError(status) : status;
}

std::string HostIdentity(const StanToolchain& toolchain) {
  std::string identity = absl::StrCat(toolchain.identity, "\n");
  for (const auto& [name, content] : StanHostSources()) absl::StrAppend(&identity, content);
  return absl::StrCat(identity, absl::StrJoin(HostCommand(toolchain, ""), " "));
}

std::string CompilerIdentity(const StanToolchain& toolchain) {
  return absl::StrCat(HostIdentity(toolchain), TranslateScript(), absl::StrJoin(kOptional, " "),
                      absl::StrJoin(CompileCommand(toolchain, toolchain.slim_headers, "", ""), " "),
                      absl::StrJoin(LinkCommand(toolchain, "", ""), " "));
}

}  // namespace aisivi::server
