// Progress of a running fit: throttled reports to the caller and a thinned record for later.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "engine/fit/progress.h"

namespace aisivi {

// Reports to the record of a run by their number, `first` … `last` − 1.
struct ReportSpan {
  int64_t first = 0, last = 0;
};

// The record of a run so far, and the report being built.
struct ReporterState {
  FitProgress current;
  std::vector<FitProgress> history;
  int64_t calls = 0, stride = 1;  // reports to the record; of which every stride-th is kept
};

// Thread safety: none; the fit's own thread.
class Reporter {
 public:
  explicit Reporter(std::function<void(const FitProgress&)> on_progress);
  // Goes on from `state`, of a fit that had taken so many seconds.
  Reporter(std::function<void(const FitProgress&)> on_progress, ReporterState state,
           double seconds);

  // The report being built; `seconds` is filled in by Report().
  FitProgress& current() { return state_.current; }

  // Begins a phase and reports it at once.
  void Phase(FitPhase phase, int64_t total_iterations);
  // Records the current values; hands them on if the last report is old enough or `now` is set.
  void Report(bool now = false);
  // Hands on the current values at once and records nothing: of a fit that goes on.
  void Show();

  // The number of the next report to the record of this run, whether the record keeps it or not.
  int64_t next_number() const { return state_.calls; }
  // These are FitProgress::of_result, of the record so far.
  void MarkResult(const ReportSpan& reports);

  const ReporterState& state() const { return state_; }
  double Seconds() const;
  // The record of the run so far; what follows is a new run's, and begins with nothing known.
  std::vector<FitProgress> EndRun();

 private:
  void Record();
  void HandOn();

  std::function<void(const FitProgress&)> on_progress_;
  std::chrono::steady_clock::time_point start_, last_;
  ReporterState state_;
};

}  // namespace aisivi
