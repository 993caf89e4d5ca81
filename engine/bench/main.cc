// aisivi-bench: how fast the engine is, beside what the machine can do.
//
//   aisivi-bench --report [--json] [--threads N] [--setting NAME]   the table of
//   engine/bench/README.md aisivi-bench [Google Benchmark's flags]                         single
//   kernels
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/bench/report.h"

int main(int argc, char** argv) {
  aisivi::bench::ReportOptions options;
  bool report = false;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--report") report = true;
    if (arg == "--json") options.json = true;
    if (arg == "--threads" && i + 1 < argc) options.threads = std::atoi(argv[++i]);
    if (arg == "--setting" && i + 1 < argc) options.setting = argv[++i];
  }
  if (report) return aisivi::bench::RunReport(options);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
