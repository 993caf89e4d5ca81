// The file of finished fits, results.csv: what is in it is not run again.
//
// One line per fit, written whole when the fit has been measured. A process that was killed may
// leave half a line at the end: it is dropped when the file is opened, and that fit runs again.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/experiments/fit_result.h"

namespace aisivi::experiments {

// Not thread-safe.
class ResultFile {
 public:
  // Opens or creates `file` for the named experiment, whose fits have these measures beside the
  // common numbers. FAILED_PRECONDITION when it is another experiment's, or another process writes
  // to it; DATA_LOSS, with the line, when a whole line cannot be read. Errors begin with "--out".
  static absl::StatusOr<std::unique_ptr<ResultFile>> Open(const std::filesystem::path& file,
                                                          const std::string& experiment,
                                                          const std::vector<std::string>& measures);
  ~ResultFile();
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;

  // Null when there is none of that key. Valid until the next Append().
  const FitResult* Find(const FitKey& key) const;
  // Adds a line, and the result to what Find() knows. A later line of the same key replaces the
  // earlier one.
  absl::Status Append(const FitResult& result);

 private:
  ResultFile(std::filesystem::path file, std::string experiment, std::vector<std::string> measures)
      : file_(std::move(file)),
        experiment_(std::move(experiment)),
        measures_(std::move(measures)) {}
  absl::Status Lock();
  absl::Status Read();
  absl::Status Parse(const std::string& text);
  absl::StatusOr<FitResult> ParseLine(const std::string& line) const;
  absl::Status Write(const std::string& line);
  void Remember(const FitResult& result);

  const std::filesystem::path file_;
  const std::string experiment_;
  const std::vector<std::string> measures_;
  int descriptor_ = -1;
  std::vector<FitResult> results_;
};

}  // namespace aisivi::experiments
