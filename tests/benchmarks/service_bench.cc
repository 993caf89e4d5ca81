// aisivi-service-bench: what following and cancelling fits costs, through a running server.
//
//   aisivi-service-bench HOST:PORT watch [PAIRS [PID]]   time of a fit without and with 50
//   watchers;
//                                                        processor time too, given the server's PID
//   aisivi-service-bench HOST:PORT cancel                time until a running fit has been
//   cancelled
//
// The server should have nothing else to do.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "client/client.h"
#include "client/names.h"

namespace aisivi {
namespace {

constexpr int kWatchers = 50;
constexpr double kCancelAfter[] = {0.1, 0.5, 1, 2, 4, 8, 12};  // seconds after the fit's start

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "aisivi-service-bench: %s\n", status.ToString().c_str());
  std::exit(1);
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) Fail(value.status());
  return *std::move(value);
}

// A few seconds of the banana, always the same.
v1::Fit Banana() {
  v1::Fit fit;
  fit.mutable_target()->mutable_banana();
  fit.mutable_schedule()->set_iterations(1500);
  fit.mutable_evidence_settings()->set_evidence_draws(1024);
  fit.set_seed(1);
  return fit;
}

// User and system time of a process so far; 0 when it cannot be read.
double ProcessorSeconds(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string skipped;
  std::getline(file, skipped, ')');
  for (int i = 0; i < 11; ++i) file >> skipped;
  double user = 0, system = 0;
  file >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

struct Times {
  double wall, processor;  // seconds
};

double Seconds(const v1::Fit& fit) {
  return static_cast<double>(fit.end_time().seconds() - fit.start_time().seconds()) +
         1e-9 * (fit.end_time().nanos() - fit.start_time().nanos());
}

// Runs the fit to its end while so many clients watch it, and counts the events they got.
Times TimeFit(const Client& client, const std::string& pid, int watchers, int64_t* events) {
  const double before = ProcessorSeconds(pid);
  const std::string name = Must(client.CreateFit(Banana())).name();
  std::vector<std::thread> threads;
  std::vector<int64_t> seen(watchers);
  for (int i = 0; i < watchers; ++i) {
    threads.emplace_back([&, i] {
      Must(client.Watch(name, [&seen, i](const v1::WatchFitResponse&) { ++seen[i]; }));
    });
  }
  for (std::thread& thread : threads) thread.join();
  v1::Fit fit = Must(client.GetFit(name));
  while (fit.state() == v1::Fit::STATE_QUEUED || fit.state() == v1::Fit::STATE_RUNNING) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    fit = Must(client.GetFit(name));
  }
  for (const int64_t count : seen) *events += count;
  if (absl::Status status = client.Delete(name); !status.ok()) Fail(status);
  return {Seconds(fit), ProcessorSeconds(pid) - before};
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

void TimeWatching(const Client& client, int pairs, const std::string& pid) {
  std::vector<double> wall, processor;
  int64_t events = 0, none = 0;
  (void)TimeFit(client, pid, 0, &none);
  for (int i = 0; i < pairs; ++i) {
    const Times alone = TimeFit(client, pid, 0, &none);
    const Times watched = TimeFit(client, pid, kWatchers, &events);
    wall.push_back(watched.wall / alone.wall - 1);
    processor.push_back(watched.processor / alone.processor - 1);
    std::printf("alone %.3f s (processor %.2f s), watched %.3f s (processor %.2f s)\n", alone.wall,
                alone.processor, watched.wall, watched.processor);
    std::fflush(stdout);
  }
  std::printf("%d watchers, %.0f events each: median cost %.2f %% of the fit's time", kWatchers,
              static_cast<double>(events) / pairs / kWatchers, 100 * Median(wall));
  if (!pid.empty()) std::printf(", %.2f %% of its processor time", 100 * Median(processor));
  std::printf("\n");
}

// The fit of 100 dimensions, cancelled in every phase that it comes to.
void TimeCancelling(const Client& client) {
  for (const double after : kCancelAfter) {
    v1::Fit fit;
    fit.mutable_target()->mutable_conditioned_diffusion();
    const std::string name = Must(client.CreateFit(fit)).name();
    while (Must(client.GetFit(name)).state() == v1::Fit::STATE_QUEUED) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::duration<double>(after));
    const std::string phase = ShortName(Must(client.GetFit(name)).progress().phase());
    const auto start = std::chrono::steady_clock::now();
    const v1::Fit ended = Must(client.Cancel(name));
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    std::printf("after %4.1f s (%s): %s in %.1f ms\n", after, phase.c_str(),
                ShortName(ended.state()).c_str(), time.count());
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace aisivi

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[2] : "";
  if (what != "watch" && what != "cancel") {
    std::fprintf(stderr, "usage: aisivi-service-bench HOST:PORT watch|cancel\n");
    return 2;
  }
  const aisivi::Client client(argv[1]);
  if (what == "watch") {
    aisivi::TimeWatching(client, argc > 3 ? std::max(1, std::atoi(argv[3])) : 5,
                         argc > 4 ? argv[4] : "");
  } else {
    aisivi::TimeCancelling(client);
  }
  return 0;
}
