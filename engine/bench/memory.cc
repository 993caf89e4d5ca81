#include "engine/bench/memory.h"

#include <cstdio>
#include <optional>
#include <string>

#include "engine/bench/apart.h"
#include "engine/bench/settings.h"
#include "engine/methods/methods.h"

namespace aisivi::bench {
namespace {

constexpr int64_t kFew = 256, kMany = 65536;
constexpr int64_t kPoints = 16;
constexpr int kSteps = 50;  // enough that every worker has had its turn
constexpr double kLargestRatio = 1.05;

std::optional<double> Peak(const std::string& preset, int threads, int64_t samples) {
  return RunApart<double>([&] {
    ThreadPool pool(threads);
    Setting setting(preset, pool, [samples](FitOptions* options) {
      options->points = kPoints;
      options->inner_samples = samples;
      options->chunks = 1;
    });
    StepReport report;
    for (int i = 0; i < (samples == kFew ? kSteps : 2); ++i)
      (void)setting.trainer().Step(1e-3, &report);
    return PeakMb();
  });
}

}  // namespace

int RunMemory(int threads) {
  bool fine = true;
  std::printf("%-18s %12s %14s %8s\n", "setting", "MiB, k = 256", "k = 65536", "ratio");
  for (const Preset& preset : Presets()) {
    if ((*FindMethod(preset.options.method))->keeps_inner) continue;  // by its nature grows with k
    const std::optional<double> few = Peak(preset.name, threads, kFew);
    const std::optional<double> many = Peak(preset.name, threads, kMany);
    if (!few.has_value() || !many.has_value()) {
      std::fprintf(stderr, "aisivi-bench: %s failed\n", preset.name.c_str());
      return 1;
    }
    std::printf("%-18s %12.2f %14.2f %8.3f\n", preset.name.c_str(), *few, *many, *many / *few);
    fine &= *many <= kLargestRatio * *few;
  }
  return fine ? 0 : 1;
}

}  // namespace aisivi::bench
