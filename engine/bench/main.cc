// aisivi-bench: how fast the engine is, beside what the machine can do.
//
//   aisivi-bench --report [--json] [--threads N] [--setting NAME]   the table of README.md
//   aisivi-bench --memory [--threads N]                             peak memory against k
//   aisivi-bench --sharing [--threads N]                            four fits at once
//   aisivi-bench [Google Benchmark's flags]                         single kernels
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "engine/bench/memory.h"
#include "engine/bench/report.h"
#include "engine/bench/sharing.h"

int main(int argc, char** argv) {
  aisivi::bench::ReportOptions options;
  std::string what;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--report" || arg == "--memory" || arg == "--sharing") what = arg;
    if (arg == "--json") options.json = true;
    if (arg == "--threads" && i + 1 < argc) options.threads = std::atoi(argv[++i]);
    if (arg == "--setting" && i + 1 < argc) options.setting = argv[++i];
  }
  if (what == "--report") return aisivi::bench::RunReport(options);
  if (what == "--memory") return aisivi::bench::RunMemory(options.threads);
  if (what == "--sharing") return aisivi::bench::RunSharing(options.threads);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
