#include "engine/fit/reporter.h"

#include <utility>

#include "engine/fit/seconds_ago.h"

namespace aisivi {
namespace {

constexpr std::chrono::milliseconds kInterval{20};
constexpr size_t kMaxHistory = 1000;

}  // namespace

Reporter::Reporter(std::function<void(const FitProgress&)> on_progress)
    : Reporter(std::move(on_progress), ReporterState(), 0) {}

Reporter::Reporter(std::function<void(const FitProgress&)> on_progress, ReporterState state,
                   double seconds)
    : on_progress_(std::move(on_progress)),
      start_(SecondsAgo(seconds)),
      last_(std::chrono::steady_clock::now() - kInterval),
      state_(std::move(state)) {}

double Reporter::Seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Reporter::Phase(FitPhase phase, int64_t total_iterations) {
  state_.current.phase = phase;
  state_.current.iteration = 0;
  state_.current.total_iterations = total_iterations;
  Report(/*now=*/true);
}

// Every stride-th report is kept; when the record is full, every other one goes and the stride
// doubles. The record of a run does not depend on how fast it ran.
void Reporter::Record() {
  if (state_.calls++ % state_.stride != 0) return;
  state_.history.push_back(state_.current);
  if (state_.history.size() < kMaxHistory) return;
  for (size_t i = 0; 2 * i < state_.history.size(); ++i) state_.history[i] = state_.history[2 * i];
  state_.history.resize((state_.history.size() + 1) / 2);
  state_.stride *= 2;
}

void Reporter::MarkResult(const ReportSpan& reports) {
  int64_t number = 0;
  for (FitProgress& report : state_.history) {
    report.of_result = number >= reports.first && number < reports.last;
    number += state_.stride;
  }
}

std::vector<FitProgress> Reporter::EndRun() {
  state_.calls = 0;
  state_.stride = 1;
  state_.current = FitProgress();
  return std::exchange(state_.history, {});
}

void Reporter::Report(bool now) {
  state_.current.seconds = Seconds();
  if (state_.current.iteration > 0) Record();
  if (now || std::chrono::steady_clock::now() - last_ >= kInterval) HandOn();
}

void Reporter::Show() {
  state_.current.seconds = Seconds();
  HandOn();
}

void Reporter::HandOn() {
  if (!on_progress_) return;
  last_ = std::chrono::steady_clock::now();
  on_progress_(state_.current);
}

}  // namespace aisivi
