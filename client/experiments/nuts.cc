#include "client/experiments/nuts.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/cli/gnuplot.h"
#include "client/experiments/csv.h"
#include "client/experiments/program.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {
namespace {

// Prints the packages that cannot be loaded.
constexpr char kProbe[] =
    "for (p in c('rstan', 'bridgesampling')) "
    "if (!requireNamespace(p, quietly = TRUE)) cat('MISSING', p, '\\n')";

// Arguments: model, data, result, chains, warm-up, draws, seeds. A gradient is evaluated at every
// leapfrog step. bridge_sampler's re2 is the relative mean square error of Z, so that its root is
// the standard error of log Z.
constexpr char kScript[] = R"(a <- commandArgs(trailingOnly = TRUE)
suppressPackageStartupMessages({ library(rstan); library(bridgesampling) })
# Debian has Boost's headers where all others are, which rstan does not know.
if (!file.exists(rstan_options('boost_lib'))) rstan_options(boost_lib = '/usr/include')
chains <- as.integer(a[4]); warmup <- as.integer(a[5]); draws <- as.integer(a[6])
compile <- system.time(model <- stan_model(a[1]))[['elapsed']]
data <- eval(parse(a[2]))
cores <- min(chains, max(1L, parallel::detectCores(), na.rm = TRUE))
rows <- lapply(as.integer(strsplit(a[7], ',')[[1]]), function(seed) {
  set.seed(seed)
  seconds <- system.time({
    fit <- sampling(model, data = data, chains = chains, iter = warmup + draws, warmup = warmup,
                    seed = seed, cores = cores, refresh = 0)
    bridge <- bridge_sampler(fit, silent = TRUE)
  })[['elapsed']]
  all <- get_sampler_params(fit, inc_warmup = TRUE)
  kept <- get_sampler_params(fit, inc_warmup = FALSE)
  data.frame(seed = seed, seconds = seconds, log_z = bridge$logml,
             log_z_se = sqrt(error_measures(bridge)$re2),
             gradients = sum(sapply(all, function(p) sum(p[, 'n_leapfrog__']))),
             r_hat = max(summary(fit)$summary[, 'Rhat'], na.rm = TRUE),
             divergences = sum(sapply(kept, function(p) sum(p[, 'divergent__']))),
             compile_seconds = compile)
})
write.csv(do.call(rbind, rows), a[3], row.names = FALSE, quote = FALSE)
)";
constexpr char kHeader[] =
    "seed,seconds,log_z,log_z_se,gradients,r_hat,divergences,compile_seconds";

std::string ReadAll(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return std::string((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
}

// The end of what R said.
std::string LastWords(const std::filesystem::path& log) {
  constexpr size_t kMost = 400;
  const std::string text(absl::StripAsciiWhitespace(ReadAll(log)));
  return text.size() > kMost ? text.substr(text.size() - kMost) : text;
}

absl::StatusOr<FitResult> ParseNuts(const PeerTarget& target, const std::string& line) {
  const absl::StatusOr<std::vector<std::string>> cells = ParseCsvLine(line);
  if (!cells.ok()) return cells.status();
  std::vector<double> numbers;
  for (const std::string& cell : *cells) {
    // R writes NA where it has no number.
    const absl::StatusOr<double> number = cell == "NA" ? kNotMeasured : ParseCsvNumber(cell);
    if (!number.ok()) return number.status();
    numbers.push_back(*number);
  }
  if (numbers.size() != 8) return absl::InvalidArgumentError("not eight numbers");
  FitResult result;
  result.key = {target.name, kNuts, "", "", static_cast<uint64_t>(numbers[0])};
  result.state = "SUCCEEDED";
  result.seconds = numbers[1];
  result.log_z = numbers[2];
  result.log_z_se = numbers[3];
  result.measures = {{kGradients, numbers[4]},
                     {kRHat, numbers[5]},
                     {kDivergences, numbers[6]},
                     {kCompileSeconds, numbers[7]}};
  return result;
}

absl::StatusOr<std::vector<FitResult>> ReadNuts(const PeerTarget& target,
                                                const std::vector<uint64_t>& seeds,
                                                const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  const absl::Status wrong =
      absl::InternalError(absl::StrCat("R left no table of results for ", target.name));
  if (!std::getline(stream, line) || line != kHeader) return wrong;
  std::vector<FitResult> results;
  while (std::getline(stream, line)) {
    absl::StatusOr<FitResult> result = ParseNuts(target, line);
    if (!result.ok()) return wrong;
    results.push_back(*std::move(result));
  }
  const bool all = results.size() == seeds.size() &&
                   std::equal(seeds.begin(), seeds.end(), results.begin(),
                              [](uint64_t seed, const FitResult& r) { return seed == r.key.seed; });
  if (!all) return wrong;
  return results;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> MissingPackages(const std::stop_token& stop) {
  const absl::StatusOr<cli::TemporaryDirectory> directory = cli::TemporaryDirectory::Create();
  if (!directory.ok()) return directory.status();
  const std::filesystem::path log = directory->path() / "log";
  const absl::StatusOr<int> code = RunProgram({"Rscript", "--vanilla", "-e", kProbe}, log, stop);
  if (absl::IsCancelled(code.status())) return code.status();
  if (!code.ok() || *code != 0) {
    return std::vector<std::string>{"r-base-core", "r-cran-rstan", "r-cran-bridgesampling"};
  }
  std::vector<std::string> missing;
  const std::string text = ReadAll(log);
  if (absl::StrContains(text, "MISSING rstan")) missing.push_back("r-cran-rstan");
  if (absl::StrContains(text, "MISSING bridgesampling")) missing.push_back("r-cran-bridgesampling");
  return missing;
}

absl::StatusOr<std::vector<FitResult>> RunNuts(const PeerTarget& target, const NutsPlan& plan,
                                               const std::vector<uint64_t>& seeds,
                                               const std::filesystem::path& folder,
                                               const std::stop_token& stop) {
  const auto file = [&](const std::string& ending) {
    return (folder / absl::StrCat("nuts_", target.name, ending)).string();
  };
  for (const auto& [ending, text] : {std::pair<std::string, std::string>{".stan", target.stan},
                                     {"_data.R", target.data + "\n"},
                                     {".R", kScript}}) {
    if (absl::Status status = WriteWholeFile(file(ending), text); !status.ok()) return status;
  }
  std::error_code ignored;
  std::filesystem::remove(file(".csv"), ignored);
  const absl::StatusOr<int> code =
      RunProgram({"Rscript", "--vanilla", file(".R"), file(".stan"), file("_data.R"), file(".csv"),
                  absl::StrCat(plan.chains), absl::StrCat(plan.warmup), absl::StrCat(plan.draws),
                  absl::StrJoin(seeds, ",")},
                 file(".log"), stop);
  if (!code.ok()) return code.status();
  if (*code != 0) {
    return absl::InternalError(
        absl::StrCat("NUTS on ", target.name, " failed: ", LastWords(file(".log"))));
  }
  return ReadNuts(target, seeds, file(".csv"));
}

}  // namespace aisivi::experiments
