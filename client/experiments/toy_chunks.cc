#include "client/experiments/toy_chunks.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/cli/terminal.h"
#include "client/experiments/csv.h"
#include "client/experiments/table.h"
#include "client/experiments/toy_report.h"
#include "client/experiments/variant.h"

namespace aisivi::experiments {
namespace {

constexpr int64_t kIterations = 200;  // enough to leave the start
constexpr char kOneBatch[] = "inner_samples=64 chunks=1";
constexpr char kInChunks[] = "inner_samples=16 chunks=4";
constexpr double kRoundingNats = 1e-10;

PlannedFit Plan(const Settings& settings, const std::string& target, const std::string& chunks) {
  std::vector<std::string> set = settings.set;
  set.insert(set.begin(), TrainedFor(kIterations));
  set.push_back(chunks);
  PlannedFit fit;
  fit.key = {target, "aisivi", "", JoinSets(set), 1};
  fit.title = absl::StrCat(target, ", aisivi, ", chunks);
  return fit;
}

double ForwardKlOf(const FitResult& result) { return MeasureOf(result, kForwardKl); }

// What is held against each other of two fits.
constexpr double (*kFigures[])(const FitResult&) = {[](const FitResult& r) { return r.log_z; },
                                                    [](const FitResult& r) { return r.elbo_lower; },
                                                    ForwardKlOf};

// NaN where one of the two has none.
double LargestDifference(const ChunkPair& pair) {
  double largest = 0;
  for (const auto figure : kFigures) {
    const double difference = std::abs(figure(pair.batch) - figure(pair.chunks));
    if (std::isnan(difference)) return kNotMeasured;
    largest = std::max(largest, difference);
  }
  return largest;
}

std::string Verdict(const ChunkPair& pair) {
  if (std::isnan(LargestDifference(pair))) return "not compared";
  return AreAlike(pair) ? "equal" : "they differ";
}

}  // namespace

std::vector<PlannedFit> PlanChunks(const Settings& settings,
                                   const std::vector<std::string>& targets) {
  std::vector<PlannedFit> plan;
  for (const std::string& target : targets) {
    plan.push_back(Plan(settings, target, kOneBatch));
    plan.push_back(Plan(settings, target, kInChunks));
  }
  return plan;
}

std::vector<ChunkPair> ChunkPairs(const std::vector<FitResult>& results) {
  std::vector<ChunkPair> pairs;
  for (size_t i = 0; i + 1 < results.size(); i += 2) pairs.push_back({results[i], results[i + 1]});
  return pairs;
}

bool AreAlike(const ChunkPair& pair) { return LargestDifference(pair) <= kRoundingNats; }

void ReportChunks(const std::vector<ChunkPair>& pairs, Report* report) {
  report->Heading("Chunks of inner samples against one batch");
  report->Paragraph(absl::StrCat(
      "AISIVI trained for ", kIterations, " iterations from seed 1, with `", kOneBatch,
      "` and with `", kInChunks,
      "`: aggregated over the chunks the estimates of density and score, and so the fits, are "
      "those of one batch. Difference: the largest of log Z, ELBO and forward KL, in nats."));
  ReportTable table({"target", "log Z, one batch", "log Z, chunks", "ELBO, one batch",
                     "ELBO, chunks", "forward KL, one batch", "forward KL, chunks", "difference",
                     "result"});
  for (const ChunkPair& pair : pairs) {
    std::vector<std::string> cells = {pair.batch.key.target};
    for (const auto figure : kFigures) {
      cells.push_back(cli::FormatFixed(figure(pair.batch), 6));
      cells.push_back(cli::FormatFixed(figure(pair.chunks), 6));
    }
    cells.push_back(CsvNumber(LargestDifference(pair)));
    cells.push_back(Verdict(pair));
    table.AddRow(std::move(cells));
  }
  report->Table(table);
}

}  // namespace aisivi::experiments
