#include "server/stan/stan_programs.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "server/stan/compiler.h"
#include "server/stan/data_json.h"
#include "server/stan/program_check.h"
#include "server/stan/stan_target.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

// A fraction of a megabyte each.
constexpr int kMaxPrograms = 1000;
// A compiler takes 1 GB.
constexpr int kMaxCompiles = 2;
// Objects of the host, for the toolchains that were used last.
constexpr int kMaxHosts = 4;

absl::Status At(absl::string_view field, absl::string_view name, const absl::Status& error) {
  return absl::IsInvalidArgument(error)
             ? FieldError(absl::StrCat(field, ".", name), error.message())
             : error;
}

// The sandbox has a working directory of its own.
StanSettings WithFullPaths(StanSettings settings) {
  if (!settings.directory.empty()) {
    settings.directory = std::filesystem::absolute(settings.directory).string();
  }
  if (!settings.stan_home.empty()) {
    settings.stan_home = std::filesystem::absolute(settings.stan_home).string();
  }
  return settings;
}

}  // namespace

StanPrograms::StanPrograms(const StanSettings& settings)
    : settings_(WithFullPaths(settings)),
      cache_(settings_.directory, kMaxPrograms, kMaxCompiles),
      hosts_(settings_.directory + "/host", kMaxHosts, 1) {}

absl::StatusOr<StanToolchain> StanPrograms::Toolchain() {
  const std::lock_guard lock(mutex_);
  if (!toolchain_.has_value()) {
    toolchain_ = FindStanToolchain(settings_.stan_home);
    const absl::Status sandbox = CheckSandbox(settings_.sandbox);
    if (toolchain_->ok() && !sandbox.ok()) toolchain_ = sandbox;
  }
  return *toolchain_;
}

std::string StanPrograms::unavailable() { return std::string(Toolchain().status().message()); }

absl::StatusOr<std::unique_ptr<const Target>> StanPrograms::Build(const v1::StanTarget& spec,
                                                                  absl::string_view field,
                                                                  const std::atomic<bool>* cancel) {
  // What is wrong by itself, first: it costs nothing.
  if (absl::Status status = CheckProgram(spec.program()); !status.ok()) {
    return At(field, "program", status);
  }
  const absl::StatusOr<std::string> data = EncodeStanData(spec.data());
  if (!data.ok()) return At(field, "data", data.status());
  const absl::StatusOr<StanToolchain> toolchain = Toolchain();
  if (!toolchain.ok()) {
    return NotAllowed("STAN_UNAVAILABLE", field, toolchain.status().message());
  }
  const StanHost host = [&](const std::atomic<bool>* cancelled) {
    return hosts_.Get(
        HostIdentity(*toolchain),
        [&](const std::string& directory, const std::atomic<bool>* compile_cancelled) {
          return CompileStanHost(*toolchain, settings_.sandbox, directory, compile_cancelled);
        },
        cancelled);
  };
  const absl::StatusOr<std::string> executable = cache_.Get(
      absl::StrCat(CompilerIdentity(*toolchain), spec.program()),
      [&](const std::string& directory, const std::atomic<bool>* cancelled) {
        return CompileStan(*toolchain, settings_.sandbox, spec.program(), host, directory,
                           cancelled);
      },
      cancel);
  if (!executable.ok()) return At(field, "program", executable.status());
  StanTargetSettings settings;
  settings.evaluator.sandbox = settings_.sandbox;
  settings.evaluator.memory_bytes = settings_.memory_bytes;
  if (!toolchain->home.empty()) settings.evaluator.read_only.push_back(toolchain->home);
  settings.processes = settings_.processes;
  absl::StatusOr<std::unique_ptr<const Target>> target =
      MakeStanTarget(*executable, *data, settings);
  return target.ok() ? std::move(target) : AtField(field, target.status());
}

}  // namespace aisivi::server
