#include "server/stan/toolchain.h"

#include <sys/stat.h>

#include <filesystem>
#include <iterator>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "server/stan/child_process.h"

namespace aisivi::server {
namespace {

constexpr absl::string_view kR = "/usr/bin/R";
constexpr absl::string_view kRstan = "/usr/lib/R/site-library/rstan/libs/rstan.so";
constexpr absl::string_view kStanHeaders = "/usr/lib/R/site-library/StanHeaders/include";
constexpr absl::string_view kCompiler = "/usr/bin/g++";

// -O2: eight schools takes 14.1 s of a busy processor to compile, at -O1 12.0 s, but 0.65 µs
// instead of 0.71 µs to evaluate. Stan's headers warn of much; nobody here would read it.
const char* const kFlags[] = {"-std=c++17", "-O2", "-w", "-DBOOST_DISABLE_ASSERTS",
                              "-DBOOST_PHOENIX_NO_VARIADIC_EXPRESSION"};

// Changes when the file does: its time and size.
std::string Stamp(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) return "";
  return absl::StrCat(path, ":", file.st_size, ":", file.st_mtim.tv_sec);
}

absl::Status Missing(const std::vector<std::string>& paths, absl::string_view advice) {
  std::vector<std::string> missing;
  for (const std::string& path : paths) {
    if (Stamp(path).empty()) missing.push_back(path);
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("no compiler for Stan: there is no ",
                                                    absl::StrJoin(missing, ", "), "; ", advice));
}

absl::StatusOr<std::string> CompilerVersion() {
  absl::StatusOr<CommandResult> result =
      RunCommand({std::string(kCompiler), "--version"}, absl::Seconds(10), 1000, nullptr);
  if (!result.ok() || result->end.exit_code != 0) {
    return absl::FailedPreconditionError("no compiler for Stan: g++ --version fails");
  }
  return result->output;
}

absl::StatusOr<StanToolchain> Debian() {
  constexpr absl::string_view kAdvice =
      "deploy/install-packages stan installs what is needed, or --stan_home names a CmdStan";
  const std::vector<std::string> needed = {
      std::string(kR),
      std::string(kRstan),
      absl::StrCat(kStanHeaders, "/stan/math.hpp"),
      absl::StrCat(kStanHeaders, "/src/stan/model/model_header.hpp"),
      "/usr/include/boost/version.hpp",
      "/usr/include/eigen3/Eigen/Core",
      "/usr/include/tbb/version.h",
      "/usr/include/seccomp.h",
      std::string(kCompiler)};
  if (absl::Status status = Missing(needed, kAdvice); !status.ok()) return status;
  StanToolchain toolchain;
  toolchain.name = "Stan 2.21 (r-cran-rstan)";
  toolchain.old_syntax = true;
  toolchain.slim_headers = true;
  toolchain.stanc = std::string(kR);
  toolchain.flags = {absl::StrCat("-I", kStanHeaders, "/src"), absl::StrCat("-I", kStanHeaders),
                     "-isystem", "/usr/include/eigen3"};
  // The archive has the solvers of differential equations.
  toolchain.libraries = {"/usr/lib/R/site-library/StanHeaders/lib/libStanHeaders.a", "-ltbb",
                         "-lseccomp"};
  for (const std::string& path : needed) absl::StrAppend(&toolchain.identity, Stamp(path), "\n");
  return toolchain;
}

// The folder in `directory` whose name begins with `prefix`, first by name; empty: none. CmdStan's
// libraries carry their versions in theirs.
std::string Folder(const std::string& directory, absl::string_view prefix) {
  std::string first;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (absl::StartsWith(name, prefix) && (first.empty() || entry.path().string() < first)) {
      first = entry.path().string();
    }
  }
  return first;
}

absl::StatusOr<StanToolchain> CmdStan(const std::string& home) {
  const std::string math = absl::StrCat(home, "/stan/lib/stan_math");
  const std::string libraries = absl::StrCat(math, "/lib");
  const std::string eigen = Folder(libraries, "eigen_"), boost = Folder(libraries, "boost_");
  const std::string sundials = Folder(libraries, "sundials_"), tbb = Folder(libraries, "tbb_");
  const std::vector<std::string> needed = {
      absl::StrCat(home, "/bin/stanc"),
      absl::StrCat(home, "/stan/src/stan/model/model_header.hpp"),
      absl::StrCat(math, "/stan/math.hpp"),
      absl::StrCat(libraries, "/tbb/libtbb.so"),
      "/usr/include/seccomp.h",
      std::string(kCompiler)};
  if (absl::Status status =
          Missing(needed,
                  "--stan_home must name a CmdStan in which `make build` was run, and g++ and "
                  "libseccomp-dev be installed");
      !status.ok()) {
    return status;
  }
  StanToolchain toolchain;
  toolchain.name = absl::StrCat("CmdStan in ", home);
  toolchain.is_cmdstan = true;
  toolchain.stanc = absl::StrCat(home, "/bin/stanc");
  toolchain.home = home;
  toolchain.flags = {"-D_REENTRANT", absl::StrCat("-I", home, "/stan/src"),
                     absl::StrCat("-I", math)};
  for (const std::string& folder :
       {eigen, boost, absl::StrCat(sundials, "/include"), absl::StrCat(sundials, "/src/sundials"),
        absl::StrCat(tbb, "/include")}) {
    toolchain.flags.insert(toolchain.flags.end(), {"-isystem", folder});
  }
  for (const char* name : {"cvodes", "idas", "kinsol", "nvecserial"}) {
    const std::string archive = absl::StrCat(sundials, "/lib/libsundials_", name, ".a");
    if (!Stamp(archive).empty()) toolchain.libraries.push_back(archive);
  }
  toolchain.libraries.insert(
      toolchain.libraries.end(),
      {absl::StrCat("-L", libraries, "/tbb"), absl::StrCat("-Wl,-rpath,", libraries, "/tbb"),
       "-ltbb", "-lseccomp"});
  for (const std::string& path : needed) absl::StrAppend(&toolchain.identity, Stamp(path), "\n");
  return toolchain;
}

}  // namespace

absl::StatusOr<StanToolchain> FindStanToolchain(const std::string& stan_home) {
  absl::StatusOr<StanToolchain> toolchain = stan_home.empty() ? Debian() : CmdStan(stan_home);
  if (!toolchain.ok()) return toolchain;
  absl::StatusOr<std::string> version = CompilerVersion();
  if (!version.ok()) return version.status();
  toolchain->compiler = std::string(kCompiler);
  toolchain->flags.insert(toolchain->flags.begin(), std::begin(kFlags), std::end(kFlags));
  absl::StrAppend(&toolchain->identity, *version, "\n", absl::StrJoin(toolchain->flags, " "), "\n",
                  absl::StrJoin(toolchain->libraries, " "));
  return toolchain;
}

std::vector<std::string> TranslateCommand(const StanToolchain& toolchain, const std::string& script,
                                          const std::string& program, const std::string& cpp) {
  if (toolchain.is_cmdstan) {
    return {toolchain.stanc, "--name=stan_program", "--filename-in-msg=program",
            absl::StrCat("--o=", cpp), program};
  }
  return {toolchain.stanc, "--vanilla", "--no-echo", absl::StrCat("--file=", script),
          "--args",        program,     cpp};
}

// The function behind rstan::stanc(), without what else that package loads, which takes a second.
std::string TranslateScript() {
  return absl::StrCat(R"R(arguments <- commandArgs(TRUE)
for (package in c("Rcpp", "RcppParallel")) suppressMessages(loadNamespace(package))
dyn.load(")R",
                      kRstan, R"R(")
bytes <- readChar(arguments[1], file.info(arguments[1])$size, useBytes = TRUE)
result <- .Call("CPP_stanc280", paste0(bytes, "\n"), "stan_program", FALSE, "", PACKAGE = "rstan")
if (result$status != 0) {
  cat(unlist(result$msg), sep = "\n")
  quit(status = 1)
}
cat(result$cppcode, file = arguments[2])
)R");
}

}  // namespace aisivi::server
