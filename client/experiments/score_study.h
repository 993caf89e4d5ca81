// Estimating the score of a fitted q at the same points again and again, with different K, from
// both sources of inner samples; and the file of what came out.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/client.h"
#include "client/experiments/score_errors.h"

namespace aisivi::experiments {

struct ScorePlan {
  int64_t points = 64;                   // draws of q
  int64_t repeats = 16;                  // estimates of each kind, at least 2
  std::vector<int64_t> proposal, prior;  // K from the one source and from the other
  int64_t truth = 100000;                // K of a long run, from the proposal
  int64_t truth_repeats = 4;             // long runs
  pid_t server = 0;                      // whose memory is measured; 0: of none
};

// One source and one K.
struct ScoreRow {
  std::string source;  // "proposal" or "prior"
  int64_t k = 0;
  ScoreErrors errors{};
  double ess = 0;      // mean effective sample size of the inner weights
  double seconds = 0;  // of one request for all points; median
  double memory = 0;   // bytes: the largest resident set of the server during a request
};

// All rows, those from the proposal first, each in the order of its K. The long runs come last, so
// that the memory they take is not in the way of smaller K. CANCELLED after a request to stop.
absl::StatusOr<std::vector<ScoreRow>> StudyScores(const Client& client, const std::string& fit,
                                                  const ScorePlan& plan,
                                                  const std::stop_token& stop);

absl::Status WriteScoreRows(const std::filesystem::path& file, const std::vector<ScoreRow>& rows);
// DATA_LOSS naming the file when it is not one that WriteScoreRows() wrote.
absl::StatusOr<std::vector<ScoreRow>> ReadScoreRows(const std::filesystem::path& file);

// Those of a source.
std::vector<ScoreRow> RowsFrom(const std::vector<ScoreRow>& rows, const std::string& source);

}  // namespace aisivi::experiments
