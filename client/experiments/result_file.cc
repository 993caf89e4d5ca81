#include "client/experiments/result_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/experiments/csv.h"

namespace aisivi::experiments {
namespace {

struct Column {
  const char* name;
  double FitResult::*value;
};

constexpr Column kColumns[] = {
    {"seconds", &FitResult::seconds},
    {"log_z", &FitResult::log_z},
    {"log_z_se", &FitResult::log_z_se},
    {"elbo_lower", &FitResult::elbo_lower},
    {"elbo_lower_se", &FitResult::elbo_lower_se},
    {"elbo_upper", &FitResult::elbo_upper},
    {"ess_share", &FitResult::ess_share},
    {"pareto_k", &FitResult::pareto_k},
    {"score_residual", &FitResult::score_residual},
    {"known_log_z", &FitResult::known_log_z},
};
constexpr size_t kTexts = 9;  // the columns before the numbers

std::string Header(const std::vector<std::string>& measures) {
  std::vector<std::string> names = {"experiment", "target", "method", "preset", "set",
                                    "seed",       "state",  "reason", "grade"};
  for (const Column& column : kColumns) names.emplace_back(column.name);
  names.insert(names.end(), measures.begin(), measures.end());
  return CsvLine(names);
}

absl::Status Failure(const std::filesystem::path& file, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("--out: ", file.string(), ": ", what));
}

absl::Status AnotherExperiment(const std::filesystem::path& file) {
  return absl::FailedPreconditionError(absl::StrCat(
      "--out: ", file.string(), " holds other results; choose another folder, or remove it"));
}

}  // namespace

ResultFile::~ResultFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::StatusOr<std::unique_ptr<ResultFile>> ResultFile::Open(
    const std::filesystem::path& file, const std::string& experiment,
    const std::vector<std::string>& measures) {
  std::unique_ptr<ResultFile> results(new ResultFile(file, experiment, measures));
  absl::Status status = results->Lock();
  if (status.ok()) status = results->Read();
  if (!status.ok()) return status;
  return results;
}

absl::Status ResultFile::Lock() {
  descriptor_ = open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) return Failure(file_, std::strerror(errno));
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  if (errno != EWOULDBLOCK) return Failure(file_, std::strerror(errno));
  return absl::FailedPreconditionError(
      absl::StrCat("--out: another process writes to ", file_.string()));
}

absl::Status ResultFile::Read() {
  std::ifstream stream(file_, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  const size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  // Half a line is what a killed process left.
  if (whole < text.size() && ftruncate(descriptor_, static_cast<off_t>(whole)) != 0) {
    return Failure(file_, std::strerror(errno));
  }
  text.resize(whole);
  if (text.find('\n') + 1 < text.size()) return Parse(text);
  // Nothing, or a header alone: without results it is nobody's.
  if (ftruncate(descriptor_, 0) != 0) return Failure(file_, std::strerror(errno));
  return Write(Header(measures_));
}

absl::Status ResultFile::Parse(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  if (lines.empty() || lines[0] + "\n" != Header(measures_)) return AnotherExperiment(file_);
  for (size_t i = 1; i < lines.size(); ++i) {
    const absl::StatusOr<FitResult> result = ParseLine(lines[i]);
    if (absl::IsFailedPrecondition(result.status())) return result.status();
    if (!result.ok()) {
      return absl::DataLossError(absl::StrCat("--out: ", file_.string(), ":", i + 1, ": ",
                                              std::string(result.status().message())));
    }
    Remember(*result);
  }
  return absl::OkStatus();
}

absl::StatusOr<FitResult> ResultFile::ParseLine(const std::string& line) const {
  const absl::StatusOr<std::vector<std::string>> cells = ParseCsvLine(line);
  if (!cells.ok()) return cells.status();
  const size_t expected = kTexts + std::size(kColumns) + measures_.size();
  if (cells->size() != expected) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", cells->size(), " cells, not ", expected));
  }
  if ((*cells)[0] != experiment_) return AnotherExperiment(file_);
  FitResult result;
  result.key = {(*cells)[1], (*cells)[2], (*cells)[3], (*cells)[4], 0};
  if (!absl::SimpleAtoi((*cells)[5], &result.key.seed)) {
    return absl::InvalidArgumentError(absl::StrCat("seed: '", (*cells)[5], "' is not one"));
  }
  result.state = (*cells)[6], result.reason = (*cells)[7], result.grade = (*cells)[8];
  for (size_t i = kTexts; i < expected; ++i) {
    const absl::StatusOr<double> value = ParseCsvNumber((*cells)[i]);
    if (!value.ok()) return value.status();
    const size_t c = i - kTexts;
    if (c < std::size(kColumns)) {
      result.*(kColumns[c].value) = *value;
    } else {
      result.measures[measures_[c - std::size(kColumns)]] = *value;
    }
  }
  return result;
}

const FitResult* ResultFile::Find(const FitKey& key) const {
  const auto found = std::find_if(results_.begin(), results_.end(),
                                  [&key](const FitResult& result) { return result.key == key; });
  return found == results_.end() ? nullptr : &*found;
}

absl::Status ResultFile::Append(const FitResult& result) {
  const FitKey& key = result.key;
  std::vector<std::string> cells = {experiment_,  key.target,    key.method,
                                    key.preset,   key.set,       absl::StrCat(key.seed),
                                    result.state, result.reason, result.grade};
  for (const Column& column : kColumns) cells.push_back(CsvNumber(result.*(column.value)));
  for (const std::string& measure : measures_) {
    cells.push_back(CsvNumber(MeasureOf(result, measure)));
  }
  absl::Status status = Write(CsvLine(cells));
  if (status.ok()) Remember(result);
  return status;
}

absl::Status ResultFile::Write(const std::string& line) {
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = write(descriptor_, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat("--out: ", file_.string(), ": ", std::strerror(errno)));
    }
    done += static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

void ResultFile::Remember(const FitResult& result) {
  const auto same = [&result](const FitResult& other) { return other.key == result.key; };
  results_.erase(std::remove_if(results_.begin(), results_.end(), same), results_.end());
  results_.push_back(result);
}

}  // namespace aisivi::experiments
