#include "client/experiments/score_study.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "client/experiments/csv.h"
#include "client/experiments/process_memory.h"
#include "client/experiments/statistics.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {
namespace {

// Streams of inner samples that no other request of a study has.
constexpr uint64_t kTruthSeed = 1'000'000, kEstimateSeed = 1;
constexpr uint64_t kPointsSeed = 2, kScaleSeed = 3;
constexpr int64_t kScaleDraws = 2000;  // for the standard deviations of q

const std::vector<std::string>& Header() {
  static const auto* const kHeader = new std::vector<std::string>{
      "source", "k", "variance", "bias_square", "floor", "ess", "seconds", "memory_bytes"};
  return *kHeader;
}

Eigen::VectorXd StandardDeviations(const Eigen::MatrixXd& z) {
  const Eigen::MatrixXd centred = z.colwise() - z.rowwise().mean();
  return (centred.rowwise().squaredNorm() / static_cast<double>(z.cols() - 1)).cwiseSqrt();
}

class Study {
 public:
  Study(const Client& client, const std::string& fit, const ScorePlan& plan,
        const std::stop_token& stop)
      : client_(client), fit_(fit), plan_(plan), stop_(stop) {}

  absl::Status Prepare() {
    const absl::StatusOr<Draws> scale = client_.GetDraws(
        fit_,
        {.count = kScaleDraws, .seed = kScaleSeed, .densities = false, .unconstrained = true});
    if (!scale.ok()) return scale.status();
    const absl::StatusOr<Draws> points = client_.GetDraws(
        fit_,
        {.count = plan_.points, .seed = kPointsSeed, .densities = false, .unconstrained = true});
    if (!points.ok()) return points.status();
    sd_ = StandardDeviations(scale->z);
    z_ = points->z;
    return absl::OkStatus();
  }

  // All but the errors, which need the truth.
  absl::Status Estimate(v1::InnerSampleSource source, int64_t k) {
    Kind kind;
    kind.row.source = source == v1::INNER_SAMPLE_SOURCE_PRIOR ? "prior" : "proposal";
    kind.row.k = k;
    std::vector<double> ess, seconds, memory;
    for (int64_t r = 0; r < plan_.repeats; ++r) {
      absl::StatusOr<Score> score = absl::CancelledError("not asked for");
      const auto began = std::chrono::steady_clock::now();
      absl::Status status;
      memory.push_back(PeakMemory(
          plan_.server,
          [&] {
            score = Evaluate(source, k, kEstimateSeed + r);
            return score.status();
          },
          &status));
      if (!status.ok()) return status;
      seconds.push_back(
          std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
      ess.push_back(score->ess.mean());
      kind.estimates.push_back(std::move(score->score));
    }
    kind.row.ess = Mean(ess);
    kind.row.seconds = Median(seconds);
    kind.row.memory = Largest(memory);
    kinds_.push_back(std::move(kind));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<ScoreRow>> Finish() {
    std::vector<Eigen::MatrixXd> runs;
    for (int64_t r = 0; r < plan_.truth_repeats; ++r) {
      absl::StatusOr<Score> run =
          Evaluate(v1::INNER_SAMPLE_SOURCE_PROPOSAL, plan_.truth, kTruthSeed + r);
      if (!run.ok()) return run.status();
      runs.push_back(std::move(run->score));
    }
    const ScoreTruth truth = TruthOf(runs, sd_);
    std::vector<ScoreRow> rows;
    for (Kind& kind : kinds_) {
      kind.row.errors = CompareScores(kind.estimates, truth);
      rows.push_back(kind.row);
    }
    return rows;
  }

 private:
  struct Kind {
    ScoreRow row;
    std::vector<Eigen::MatrixXd> estimates;
  };

  absl::StatusOr<Score> Evaluate(v1::InnerSampleSource source, int64_t k, uint64_t seed) const {
    return client_.EvaluateScore(fit_, z_, {.inner_samples = k, .seed = seed, .source = source},
                                 stop_);
  }

  const Client& client_;
  const std::string fit_;
  const ScorePlan& plan_;
  const std::stop_token stop_;
  Eigen::VectorXd sd_;  // D
  Eigen::MatrixXd z_;   // D×N
  std::vector<Kind> kinds_;
};

absl::Status NotRows(const std::filesystem::path& file) {
  return absl::DataLossError(
      absl::StrCat("--out: ", file.string(), " is not a table of scores; remove it"));
}

}  // namespace

absl::StatusOr<std::vector<ScoreRow>> StudyScores(const Client& client, const std::string& fit,
                                                  const ScorePlan& plan,
                                                  const std::stop_token& stop) {
  Study study(client, fit, plan, stop);
  if (absl::Status status = study.Prepare(); !status.ok()) return status;
  for (const auto& [source, ks] : {std::pair(v1::INNER_SAMPLE_SOURCE_PROPOSAL, &plan.proposal),
                                   std::pair(v1::INNER_SAMPLE_SOURCE_PRIOR, &plan.prior)}) {
    for (const int64_t k : *ks) {
      if (absl::Status status = study.Estimate(source, k); !status.ok()) return status;
    }
  }
  return study.Finish();
}

absl::Status WriteScoreRows(const std::filesystem::path& file, const std::vector<ScoreRow>& rows) {
  ReportTable table(Header());
  for (const ScoreRow& row : rows) {
    std::vector<std::string> cells = {row.source, absl::StrCat(row.k)};
    for (const double value : {row.errors.variance, row.errors.bias_square, row.errors.floor,
                               row.ess, row.seconds, row.memory}) {
      cells.push_back(CsvNumber(value));
    }
    table.AddRow(std::move(cells));
  }
  return WriteWholeFile(file, table.ToCsv());
}

absl::StatusOr<std::vector<ScoreRow>> ReadScoreRows(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line) || line + "\n" != CsvLine(Header())) return NotRows(file);
  std::vector<ScoreRow> rows;
  while (std::getline(stream, line)) {
    const absl::StatusOr<std::vector<std::string>> cells = ParseCsvLine(line);
    if (!cells.ok() || cells->size() != Header().size()) return NotRows(file);
    std::vector<double> numbers;
    for (size_t i = 1; i < cells->size(); ++i) {
      const absl::StatusOr<double> number = ParseCsvNumber((*cells)[i]);
      if (!number.ok()) return NotRows(file);
      numbers.push_back(*number);
    }
    rows.push_back({(*cells)[0], static_cast<int64_t>(numbers[0]),
                    ScoreErrors{numbers[1], numbers[2], numbers[3]}, numbers[4], numbers[5],
                    numbers[6]});
  }
  return rows;
}

std::vector<ScoreRow> RowsFrom(const std::vector<ScoreRow>& rows, const std::string& source) {
  std::vector<ScoreRow> chosen;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(chosen),
               [&source](const ScoreRow& row) { return row.source == source; });
  return chosen;
}

}  // namespace aisivi::experiments
