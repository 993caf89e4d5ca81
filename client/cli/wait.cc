#include "client/cli/wait.h"

#include "absl/strings/str_cat.h"
#include "client/cli/interrupt.h"
#include "client/cli/output.h"
#include "client/cli/progress_view.h"
#include "client/cli/terminal.h"

namespace aisivi::cli {
namespace {

absl::Status PrintEnd(const v1::Fit& fit, const Globals& globals) {
  if (globals.json) return PrintJson(fit);
  std::string text = DescribeFit(fit);
  if (fit.has_posterior()) {
    absl::StrAppend(&text,
                    Styled(Style::kDim, absl::StrCat("Next: aisivi summary ", Printable(fit.name()),
                                                     ", also draws, evidence, plot")),
                    "\n");
  }
  return Print(text);
}

}  // namespace

absl::Status WaitForFit(const Client& client, const std::string& name, const Globals& globals) {
  ProgressView view(globals.json   ? ProgressStyle::kJson
                    : IsTerminal() ? ProgressStyle::kBar
                                   : ProgressStyle::kLines);
  absl::StatusOr<v1::Fit> fit = absl::UnknownError("");
  bool interrupted;
  {
    InterruptToken interrupt;
    WatchOptions options;
    options.stop = interrupt.token();
    fit = client.Watch(
        name, [&view](const v1::WatchFitResponse& event) { view.Show(event); }, options);
    interrupted = options.stop.stop_requested();
  }
  view.Finish();
  if (!fit.ok() && interrupted) {
    return Interrupted(absl::StrCat("left ", name, " running; aisivi watch ", name,
                                    " shows it again, aisivi cancel ", name, " ends it"));
  }
  if (!fit.ok()) return fit.status();
  const absl::Status printed = PrintEnd(*fit, globals);
  if (!printed.ok()) return printed;
  switch (fit->state()) {
    case v1::Fit::STATE_SUCCEEDED:
      return absl::OkStatus();
    case v1::Fit::STATE_CANCELLED:
      return absl::CancelledError(absl::StrCat(name, ": the fit was cancelled"));
    default:
      return absl::Status(static_cast<absl::StatusCode>(fit->error().code()),
                          absl::StrCat(name, ": the fit failed: ", fit->error().message()));
  }
}

}  // namespace aisivi::cli
