#include "client/cli/progress_view.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/output.h"
#include "client/cli/terminal.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

std::vector<std::string> Facts(const v1::FitProgress& progress) {
  std::vector<std::string> facts;
  if (progress.has_log_z()) facts.push_back(absl::StrFormat("log Z %.3f", progress.log_z()));
  if (progress.has_elbo()) facts.push_back(absl::StrFormat("ELBO %.3f", progress.elbo()));
  if (progress.has_proposal_ess()) {
    facts.push_back(absl::StrFormat("ESS %.0f %%", 100 * progress.proposal_ess()));
  }
  if (progress.has_score_residual()) {
    facts.push_back(absl::StrCat("residual ", FormatNumber(progress.score_residual(), 2)));
  }
  if (progress.skipped_steps() > 0) {
    facts.push_back(absl::StrCat(progress.skipped_steps(), " steps skipped"));
  }
  return facts;
}

std::string Title(const v1::WatchFitResponse& event) {
  if (event.state() == v1::Fit::STATE_QUEUED) return "queued";
  if (event.progress().phase() == v1::FitProgress::PHASE_UNSPECIFIED) {
    return StateName(event.state());
  }
  return PhaseName(event.progress().phase());
}

std::string Counter(const v1::FitProgress& progress) {
  if (progress.total_iterations() <= 0) return "";
  return absl::StrCat(progress.iteration(), "/", progress.total_iterations());
}

double Share(const v1::FitProgress& progress) {
  if (progress.total_iterations() <= 0) return 0;
  return std::clamp(
      static_cast<double>(progress.iteration()) / static_cast<double>(progress.total_iterations()),
      0.0, 1.0);
}

std::string Repeat(const char* piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

}  // namespace

void ProgressView::NoteStart(const v1::FitProgress& progress) {
  if (progress.phase() == phase_ && progress.iteration() >= phase_iteration_) return;
  phase_ = progress.phase();
  phase_seconds_ = ToSeconds(progress.elapsed());
  phase_iteration_ = progress.iteration();
}

double ProgressView::SecondsLeft(const v1::FitProgress& progress) const {
  const auto done = static_cast<double>(progress.iteration() - phase_iteration_);
  const double seconds = ToSeconds(progress.elapsed()) - phase_seconds_;
  if (progress.phase() != phase_ || done <= 0 || seconds <= 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const auto left = static_cast<double>(progress.total_iterations() - progress.iteration());
  return std::max(0.0, left) * seconds / done;
}

bool ProgressView::IsDue(const v1::WatchFitResponse& event) const {
  // A fit that has just left the queue has nothing to tell yet, one that is done is described.
  const v1::FitProgress::Phase phase = event.progress().phase();
  if (phase == v1::FitProgress::PHASE_DONE) return false;
  if (phase == v1::FitProgress::PHASE_UNSPECIFIED && event.state() != v1::Fit::STATE_QUEUED)
    return false;
  if (last_.sequence() == 0 || event.has_fit()) return true;
  if (Title(event) != Title(last_)) return true;
  return std::floor(10 * Share(event.progress())) > std::floor(10 * Share(last_.progress()));
}

std::string ProgressView::Bar(const v1::WatchFitResponse& event, int width) const {
  const v1::FitProgress& progress = event.progress();
  std::vector<std::string> right = Facts(progress);
  if (const std::string counter = Counter(progress); !counter.empty()) {
    right.insert(right.begin(), counter);
  }
  const double left = SecondsLeft(progress);
  if (left > 0) right.push_back(absl::StrCat(FormatSeconds(left), " left"));
  const std::string title = absl::StrFormat("%-16s", Title(event));
  constexpr int kShortestBar = 8, kLongestBar = 30;
  // What does not fit is left out from the end, the bar itself last.
  std::string facts = absl::StrJoin(right, "  ");
  while (right.size() > 1 &&
         DisplayWidth(title) + kShortestBar + 4 + DisplayWidth(facts) > width - 1) {
    right.erase(right.size() > 2 ? right.end() - 2 : right.end() - 1);
    facts = absl::StrJoin(right, "  ");
  }
  const int room = width - 1 - DisplayWidth(title) - 2 - DisplayWidth(facts);
  const int length = std::min(kLongestBar, room);
  if (length < kShortestBar) return absl::StrCat(title, facts);
  const int filled = static_cast<int>(std::lround(length * Share(progress)));
  return absl::StrCat(Styled(Style::kBold, title), Styled(Style::kGreen, Repeat("━", filled)),
                      Styled(Style::kDim, Repeat("─", length - filled)), "  ", facts);
}

std::string ProgressView::Line(const v1::WatchFitResponse& event) const {
  std::vector<std::string> parts = {Title(event)};
  const v1::FitProgress& progress = event.progress();
  if (event.state() == v1::Fit::STATE_RUNNING) {
    if (const std::string counter = Counter(progress); !counter.empty()) parts.push_back(counter);
    for (std::string& fact : Facts(progress)) parts.push_back(std::move(fact));
    parts.push_back(FormatSeconds(ToSeconds(progress.elapsed())));
    const double left = SecondsLeft(progress);
    if (left > 0) parts.push_back(absl::StrCat(FormatSeconds(left), " left"));
  }
  return absl::StrJoin(parts, "  ");
}

void ProgressView::Show(const v1::WatchFitResponse& event) {
  NoteStart(event.progress());
  if (style_ == ProgressStyle::kJson) {
    // The fit itself is printed by the command that waits for it.
    if (!event.has_fit()) (void)PrintJson(event);
  } else if (event.has_fit()) {
    // Described by the command.
  } else if (style_ == ProgressStyle::kBar) {
    (void)Print(absl::StrCat("\r", Bar(event, TerminalWidth()), "\x1b[K"));
    bar_shown_ = true;
  } else if (IsDue(event)) {
    (void)Print(Line(event) + "\n");
    last_ = event;
  }
}

void ProgressView::Finish() {
  if (bar_shown_) (void)Print("\r\x1b[K");
  bar_shown_ = false;
}

}  // namespace aisivi::cli
