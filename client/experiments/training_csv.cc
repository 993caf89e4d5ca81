#include "client/experiments/training_csv.h"

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/experiments/csv.h"
#include "client/experiments/table.h"
#include "client/names.h"

namespace aisivi::experiments {
namespace {

using P = v1::FitProgress;

struct Column {
  const char* name;
  bool (P::*has)() const;
  double (P::*get)() const;
  void (P::*set)(double);
};

constexpr Column kColumns[] = {
    {"loss", &P::has_loss, &P::loss, &P::set_loss},
    {"flow_loss", &P::has_flow_loss, &P::flow_loss, &P::set_flow_loss},
    {"proposal_ess", &P::has_proposal_ess, &P::proposal_ess, &P::set_proposal_ess},
    {"score_residual", &P::has_score_residual, &P::score_residual, &P::set_score_residual},
    {"elbo", &P::has_elbo, &P::elbo, &P::set_elbo},
};
constexpr size_t kFirst = 4;  // the columns before these

std::string Header() {
  std::vector<std::string> names = {"phase", "iteration", "total_iterations", "seconds"};
  for (const Column& column : kColumns) names.emplace_back(column.name);
  return CsvLine(names);
}

absl::StatusOr<P> ParseReport(const std::string& line) {
  const absl::StatusOr<std::vector<std::string>> cells = ParseCsvLine(line);
  if (!cells.ok()) return cells.status();
  P report;
  P::Phase phase;
  if (cells->size() != kFirst + std::size(kColumns) ||
      !P::Phase_Parse(EnumPrefix(P::Phase_descriptor()) + (*cells)[0], &phase)) {
    return absl::InvalidArgumentError("not a report");
  }
  report.set_phase(phase);
  std::vector<double> numbers;
  for (size_t i = 1; i < cells->size(); ++i) {
    const absl::StatusOr<double> number = ParseCsvNumber((*cells)[i]);
    if (!number.ok()) return number.status();
    numbers.push_back(*number);
  }
  report.set_iteration(static_cast<int64_t>(numbers[0]));
  report.set_total_iterations(static_cast<int64_t>(numbers[1]));
  *report.mutable_elapsed() = ToDuration(numbers[2]);
  for (size_t c = 0; c < std::size(kColumns); ++c) {
    const double value = numbers[kFirst - 1 + c];
    if (!std::isnan(value)) (report.*kColumns[c].set)(value);
  }
  return report;
}

}  // namespace

absl::Status WriteTraining(const std::filesystem::path& file, const v1::TrainingHistory& history) {
  std::string text = Header();
  for (const P& report : history.reports()) {
    std::vector<std::string> cells = {ShortName(report.phase()), absl::StrCat(report.iteration()),
                                      absl::StrCat(report.total_iterations()),
                                      CsvNumber(ToSeconds(report.elapsed()))};
    for (const Column& column : kColumns) {
      cells.push_back(CsvNumber((report.*column.has)() ? (report.*column.get)() : std::nan("")));
    }
    text += CsvLine(cells);
  }
  return WriteWholeFile(file, text);
}

absl::StatusOr<v1::TrainingHistory> ReadTraining(const std::filesystem::path& file) {
  const absl::Status bad = absl::DataLossError(absl::StrCat(
      "--out: ", file.string(), " is not the history that was written; remove it to fit again"));
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line) || line + "\n" != Header()) return bad;
  v1::TrainingHistory history;
  while (std::getline(stream, line)) {
    const absl::StatusOr<P> report = ParseReport(line);
    if (!report.ok()) return bad;
    *history.add_reports() = *report;
  }
  return history;
}

}  // namespace aisivi::experiments
