#include "client/experiments/process_memory.h"

#include <fstream>
#include <limits>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace aisivi::experiments {
namespace {

constexpr double kNotTold = std::numeric_limits<double>::quiet_NaN();

// A line "NAME:   1234 kB" of /proc/PID/status, in bytes.
double StatusBytes(pid_t pid, absl::string_view name) {
  if (pid <= 0) return kNotTold;
  std::ifstream stream(absl::StrCat("/proc/", pid, "/status"));
  std::string line;
  while (std::getline(stream, line)) {
    absl::string_view rest = line;
    if (!absl::ConsumePrefix(&rest, name) || !absl::ConsumePrefix(&rest, ":")) continue;
    absl::ConsumeSuffix(&rest, "kB");
    double kilobytes;
    if (absl::SimpleAtod(absl::StripAsciiWhitespace(rest), &kilobytes)) return 1024 * kilobytes;
  }
  return kNotTold;
}

// Makes the peak what is resident now: "5" in clear_refs, see proc(5).
bool ResetPeak(pid_t pid) {
  if (pid <= 0) return false;
  std::ofstream stream(absl::StrCat("/proc/", pid, "/clear_refs"));
  stream << "5\n";
  stream.close();
  return !stream.fail();
}

}  // namespace

double PeakMemory(pid_t pid, const std::function<absl::Status()>& work, absl::Status* status) {
  const bool reset = ResetPeak(pid);
  *status = work();
  return reset ? StatusBytes(pid, "VmHWM") : kNotTold;
}

}  // namespace aisivi::experiments
