// Showing a fit's progress: a bar on a terminal, plain lines otherwise, JSON when asked for.
//
// The bar is one line, rewritten at each event:
//   training  ━━━━━━━━━━━━──────  1240/2000  ELBO −150.52  ESS 87 %  residual 0.013  24.1 s left
// Plain lines come at each change of phase and every tenth of a phase.
#pragma once

#include <string>

#include "aisivi/v1/fit_service.pb.h"

namespace aisivi::cli {

enum class ProgressStyle { kBar, kLines, kJson };

// Not thread-safe.
class ProgressView {
 public:
  explicit ProgressView(ProgressStyle style) : style_(style) {}
  // Prints what the event has to tell.
  void Show(const v1::WatchFitResponse& event);
  // Ends the line of the bar.
  void Finish();

  // The bar for a terminal of that width; without colours when there is no terminal.
  std::string Bar(const v1::WatchFitResponse& event, int width) const;
  // One plain line without '\n'.
  std::string Line(const v1::WatchFitResponse& event) const;

 private:
  double SecondsLeft(const v1::FitProgress& progress) const;
  bool IsDue(const v1::WatchFitResponse& event) const;
  void NoteStart(const v1::FitProgress& progress);

  const ProgressStyle style_;
  bool bar_shown_ = false;
  v1::WatchFitResponse last_;  // printed
  // Where the phase was first seen, for the time left.
  v1::FitProgress::Phase phase_ = v1::FitProgress::PHASE_UNSPECIFIED;
  double phase_seconds_ = 0;
  int64_t phase_iteration_ = 0;
};

}  // namespace aisivi::cli
