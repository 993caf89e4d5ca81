#include "engine/bench/sharing.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "engine/bench/settings.h"

namespace aisivi::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kTime(5);
constexpr int kFits = 4, kRounds = 2;
constexpr const char* kSettings[] = {"aisivi_x_shaped", "aisivi_multimodal"};

// Steps of each fit within kTime, all at once; parts of steps count by the time they took.
std::vector<double> StepsAtOnce(const std::vector<std::unique_ptr<Setting>>& fits, int count) {
  std::vector<double> steps(count);
  std::vector<std::thread> threads;
  const Clock::time_point end = Clock::now() + kTime;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      StepReport report;
      Clock::time_point began = Clock::now();
      while (began < end) {
        (void)fits[i]->trainer().Step(1e-3, &report);
        const Clock::time_point now = Clock::now();
        const std::chrono::duration<double> whole = now - began,
                                            inside = std::min(now, end) - began;
        steps[i] += inside / whole;
        began = now;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return steps;
}

void Measure(const char* name, ThreadPool& pool) {
  std::vector<std::unique_ptr<Setting>> fits;
  for (int i = 0; i < kFits; ++i) fits.push_back(std::make_unique<Setting>(name, pool));
  StepReport report;
  for (const std::unique_ptr<Setting>& fit : fits) (void)fit->trainer().Step(1e-3, &report);
  double alone = 0, together = 0;
  std::vector<double> each(kFits);
  for (int round = 0; round < kRounds; ++round) {
    alone += StepsAtOnce(fits, 1)[0];
    const std::vector<double> steps = StepsAtOnce(fits, kFits);
    for (int i = 0; i < kFits; ++i) {
      each[i] += steps[i];
      together += steps[i];
    }
  }
  const double seconds = kRounds * std::chrono::duration<double>(kTime).count();
  const auto [least, most] = std::minmax_element(each.begin(), each.end());
  std::printf("%-18s %10.1f %10.1f %8.3f %10.0f %10.0f %8.3f\n", name, alone / seconds,
              together / seconds, together / alone, *least, *most, *most / *least);
  std::fflush(stdout);
}

}  // namespace

int RunSharing(int threads) {
  ThreadPool pool(threads);
  std::printf("%-18s %10s %10s %8s %10s %10s %8s\n", "setting", "one, /s", "four, /s", "ratio",
              "least", "most", "ratio");
  for (const char* name : kSettings) Measure(name, pool);
  return 0;
}

}  // namespace aisivi::bench
