#include "engine/bench/report.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <vector>

#include "engine/bench/apart.h"
#include "engine/bench/gemm.h"
#include "engine/bench/settings.h"
#include "engine/parallel/instruction_set.h"

namespace aisivi::bench {
namespace {

constexpr double kSecondsPerSetting = 8;  // of timed iterations
constexpr int kMinIterations = 5, kMaxIterations = 400;

struct Row {
  char setting[32];
  int threads;
  double seconds, useful_gflop, gemm_gflops, fraction, peak_mb;
  PhaseSeconds phases;  // per iteration
};

Row Measure(const std::string& name, int threads) {
  ThreadPool pool(threads);
  Row row{};
  std::snprintf(row.setting, sizeof(row.setting), "%s", name.c_str());
  row.threads = pool.threads();
  std::vector<GemmShape> shapes;
  {
    Setting setting(name, pool);
    Trainer& trainer = setting.trainer();
    StepReport report;
    for (int i = 0; i < 2; ++i) (void)trainer.Step(1e-3, &report);
    const PhaseSeconds before = trainer.phase_seconds();
    std::vector<double> seconds;
    double total = 0;
    while (seconds.size() < kMinIterations ||
           (total < kSecondsPerSetting && seconds.size() < kMaxIterations)) {
      const auto start = std::chrono::steady_clock::now();
      (void)trainer.Step(1e-3, &report);
      seconds.push_back(
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      total += seconds.back();
    }
    std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
    row.seconds = seconds[seconds.size() / 2];
    const double n = static_cast<double>(seconds.size());
    const PhaseSeconds& after = trainer.phase_seconds();
    row.phases = {(after.flow - before.flow) / n, (after.points - before.points) / n,
                  (after.target - before.target) / n, (after.inner - before.inner) / n,
                  (after.family - before.family) / n};
    shapes = InnerShapes(setting.options(), setting.dim());
  }
  row.peak_mb = PeakMb();
  for (const GemmShape& shape : shapes) row.useful_gflop += shape.Flop() * 1e-9;
  row.gemm_gflops = GemmGflops(shapes, pool);
  row.fraction = row.useful_gflop / row.seconds / row.gemm_gflops;
  return row;
}

void PrintText(const Row& r) {
  std::printf("%-18s %10.4f %9.2f %9.1f %8.2f %8.0f   %8.4f %8.4f %8.4f %8.4f %8.4f\n", r.setting,
              r.seconds, r.useful_gflop, r.gemm_gflops, r.fraction, r.peak_mb, r.phases.inner,
              r.phases.flow, r.phases.points, r.phases.target, r.phases.family);
}

void PrintJson(const Row& r) {
  std::printf(
      "{\"setting\": \"%s\", \"threads\": %d, \"instruction_set\": \"%s\", "
      "\"seconds_per_iteration\": %.6g, \"useful_gflop\": %.6g, \"gemm_gflops\": %.6g, "
      "\"fraction_of_gemm\": %.4g, \"peak_mb\": %.1f, \"phase_seconds\": {\"inner\": %.6g, "
      "\"flow\": %.6g, \"points\": %.6g, \"target\": %.6g, \"family\": %.6g}}",
      r.setting, r.threads, EngineInstructionSet(), r.seconds, r.useful_gflop, r.gemm_gflops,
      r.fraction, r.peak_mb, r.phases.inner, r.phases.flow, r.phases.points, r.phases.target,
      r.phases.family);
}

}  // namespace

int RunReport(const ReportOptions& options) {
  if (options.json) {
    std::printf("[");
  } else {
    std::printf("engine: %s\n", EngineInstructionSet());
    std::printf("%-18s %10s %9s %9s %8s %8s   %8s %8s %8s %8s %8s\n", "setting", "s/iter", "GFLOP",
                "GEMM", "of GEMM", "peak MB", "inner", "flow", "points", "target", "family");
  }
  bool first = true, failed = false, found = false;
  for (const Preset& preset : Presets()) {
    if (!options.setting.empty() && options.setting != preset.name) continue;
    found = true;
    const std::optional<Row> row =
        RunApart<Row>([&] { return Measure(preset.name, options.threads); });
    if (!row.has_value()) {
      std::fprintf(stderr, "aisivi-bench: %s failed\n", preset.name.c_str());
      failed = true;
      continue;
    }
    if (options.json) std::printf(first ? "\n" : ",\n");
    options.json ? PrintJson(*row) : PrintText(*row);
    std::fflush(stdout);
    first = false;
  }
  if (options.json) std::printf("\n]\n");
  if (!found) {
    std::fprintf(stderr, "aisivi-bench: setting: there is no \"%s\"\n", options.setting.c_str());
    return 2;
  }
  return failed ? 1 : 0;
}

}  // namespace aisivi::bench
