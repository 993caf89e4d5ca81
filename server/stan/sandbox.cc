#include "server/stan/sandbox.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/stan/child_process.h"

namespace aisivi::server {
namespace {

// What compilers put into /tmp: assembly text and objects.
constexpr int64_t kTemporaryBytes = int64_t{512} << 20;

std::vector<std::string> Bubblewrap(const SandboxPaths& paths) {
  std::vector<std::string> argv = {"bwrap",
                                   "--unshare-all",
                                   "--cap-drop",
                                   "ALL",
                                   "--clearenv",
                                   "--setenv",
                                   "PATH",
                                   "/usr/bin:/bin",
                                   "--setenv",
                                   "HOME",
                                   "/tmp",
                                   "--setenv",
                                   "LC_ALL",
                                   "C.UTF-8",
                                   "--dev-bind",
                                   "/dev/null",
                                   "/dev/null",
                                   "--size",
                                   absl::StrCat(kTemporaryBytes),
                                   "--tmpfs",
                                   "/tmp"};
  const auto add = [&](std::initializer_list<std::string> more) { argv.insert(argv.end(), more); };
  for (const char* folder : {"lib", "lib32", "lib64", "libx32"}) {
    add({"--symlink", absl::StrCat("usr/", folder), absl::StrCat("/", folder)});
    if (!paths.programs) {
      const std::string path = absl::StrCat("/usr/", folder);
      add({"--ro-bind-try", path, path});
    }
  }
  if (paths.programs) add({"--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"});
  // The loader's cache, which libblas.so is, and what R reads at its start.
  for (const char* path : {"/etc/ld.so.cache", "/etc/alternatives", "/etc/R"}) {
    add({"--ro-bind-try", path, path});
  }
  for (const std::string& path : paths.read_only) add({"--ro-bind", path, path});
  if (!paths.writable.empty()) add({"--bind", paths.writable, paths.writable});
  add({"--chdir", paths.writable.empty() ? "/tmp" : paths.writable, "--"});
  return argv;
}

}  // namespace

std::vector<std::string> Sandboxed(SandboxKind kind, const SandboxPaths& paths,
                                   const SandboxLimits& limits,
                                   const std::vector<std::string>& command) {
  std::vector<std::string> argv;
  if (kind == SandboxKind::kBubblewrap) {
    argv = Bubblewrap(paths);
  } else {
    argv = {"/usr/bin/env", "-i"};
    if (!paths.writable.empty()) {
      argv.insert(argv.end(), {"-C", paths.writable, absl::StrCat("TMPDIR=", paths.writable)});
    }
    argv.insert(argv.end(), {"PATH=/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C.UTF-8"});
  }
  if (limits.cpu_seconds > 0) {
    argv.insert(argv.end(), {"/usr/bin/prlimit", absl::StrCat("--cpu=", limits.cpu_seconds),
                             absl::StrCat("--as=", limits.memory_bytes),
                             absl::StrCat("--fsize=", limits.file_bytes), "--core=0"});
    if (kind == SandboxKind::kBubblewrap)
      argv.push_back(absl::StrCat("--nproc=", limits.processes));
  }
  argv.insert(argv.end(), command.begin(), command.end());
  return argv;
}

absl::Status CheckSandbox(SandboxKind kind) {
  if (kind == SandboxKind::kNone) return absl::OkStatus();
  constexpr absl::string_view kAdvice =
      "; where that cannot be mended, --stan_sandbox none runs them with limits only";
  const absl::StatusOr<CommandResult> result =
      RunCommand(Sandboxed(kind, {}, {10, int64_t{1} << 30, 1 << 20, 16}, {"/usr/bin/true"}),
                 absl::Seconds(10), 1000, nullptr);
  if (!result.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("Stan programs are run within bubblewrap, which is not there: "
                     "deploy/install-packages stan installs it",
                     kAdvice));
  }
  if (result->end.exit_code == 0 && result->end.signal == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "Stan programs are run within bubblewrap, which cannot work here: ",
      absl::StrReplaceAll(absl::StripAsciiWhitespace(result->output), {{"\n", " "}}), kAdvice));
}

}  // namespace aisivi::server
