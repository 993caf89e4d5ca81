#include "engine/fit/reporter.h"

#include <utility>

namespace aisivi {
namespace {

constexpr std::chrono::milliseconds kInterval{20};
constexpr size_t kMaxHistory = 1000;

}  // namespace

Reporter::Reporter(std::function<void(const FitProgress&)> on_progress)
    : on_progress_(std::move(on_progress)),
      start_(std::chrono::steady_clock::now()),
      last_(start_ - kInterval) {}

double Reporter::Seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Reporter::Phase(FitPhase phase, int64_t total_iterations) {
  current_.phase = phase;
  current_.iteration = 0;
  current_.total_iterations = total_iterations;
  Report(/*now=*/true);
}

// Every stride-th report is kept; when the record is full, every other one goes and the stride
// doubles. The record of a run does not depend on how fast it ran.
void Reporter::Record() {
  if (calls_++ % stride_ != 0) return;
  history_.push_back(current_);
  if (history_.size() < kMaxHistory) return;
  for (size_t i = 0; 2 * i < history_.size(); ++i) history_[i] = history_[2 * i];
  history_.resize((history_.size() + 1) / 2);
  stride_ *= 2;
}

void Reporter::MarkResult(const ReportSpan& reports) {
  int64_t number = 0;
  for (FitProgress& report : history_) {
    report.of_result = number >= reports.first && number < reports.last;
    number += stride_;
  }
}

std::vector<FitProgress> Reporter::EndRun() {
  calls_ = 0;
  stride_ = 1;
  current_ = FitProgress();
  return std::exchange(history_, {});
}

void Reporter::Report(bool now) {
  current_.seconds = Seconds();
  if (current_.iteration > 0) Record();
  const auto time = std::chrono::steady_clock::now();
  if (!on_progress_ || (!now && time - last_ < kInterval)) return;
  last_ = time;
  on_progress_(current_);
}

}  // namespace aisivi
