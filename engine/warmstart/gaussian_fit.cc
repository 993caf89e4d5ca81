#include "engine/warmstart/gaussian_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/warmstart/batch_and_match.h"
#include "engine/warmstart/curvature.h"
#include "engine/warmstart/diagonal_fit.h"
#include "engine/warmstart/evaluate.h"
#include "engine/warmstart/gaussian_mixture_density.h"
#include "engine/warmstart/kl_polish.h"
#include "engine/warmstart/lbfgs.h"
#include "engine/warmstart/low_rank_fit.h"
#include "engine/warmstart/starts.h"

namespace aisivi {
namespace {

constexpr int64_t kStarts = 8;
// Nats of ELBO below the best candidate that no refinement makes up: a judgement, twice the
// distance within which a candidate can become a start (engine/fit/start.cc).
constexpr double kHopeless = 20;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Candidate {
  AffineGaussian gaussian;
  std::string how;
  ElboEstimate elbo{-kInfinity, kInfinity};
};

// Errors that end the whole warm start; all others end one candidate.
bool IsFatal(const absl::Status& status) {
  return !status.ok() && !absl::IsFailedPrecondition(status) && !absl::IsOutOfRange(status);
}

// Everything the candidates share.
class CandidateSearch {
 public:
  CandidateSearch(Evaluator& evaluator, uint64_t seed, std::vector<std::string>* log)
      : evaluator_(evaluator), seed_(seed), dim_(evaluator.dim()), log_(log) {
    const int64_t draws = dim_ <= 50 ? 8192 : dim_ <= kFullRankLimit ? 4096 : 1024;
    compare_ = MatchedNormals(seed, DrawStream::kCompare, 0, dim_, draws);
  }

  absl::Status AddFromMode(const Eigen::MatrixXd& starts);
  absl::Status AddFromWideStart();
  absl::Status AddFromIdentity();
  absl::Status AddDiagonal(const Eigen::MatrixXd& starts);
  absl::Status AddLastResort();
  // Drops candidates that reached the same Gaussian as a better one and repeats the KL descent of
  // the rest (above 50 dimensions: of the best) with many more draws.
  absl::Status Refine();

  bool empty() const { return candidates_.empty(); }
  std::vector<GaussianFit> Take();

 private:
  void Log(std::string sentence) {
    if (log_ != nullptr) log_->push_back(std::move(sentence));
  }
  absl::StatusOr<ElboEstimate> Compare(const AffineGaussian& gaussian);
  // Adds the better of `matched` and what KL descent from it reaches.
  absl::Status AddPolished(const AffineGaussian& matched, const std::string& matched_how,
                           const std::string& from);
  // Compares it with the others and keeps it when it can be evaluated.
  absl::Status AddCandidate(Candidate candidate);
  absl::Status GiveUp(const std::string& from, const absl::Status& status);
  void SortByElbo();
  void DropDuplicates();
  absl::Status RefineOne(Candidate* candidate);

  Evaluator& evaluator_;
  const uint64_t seed_;
  const int64_t dim_;
  std::vector<std::string>* const log_;
  Eigen::MatrixXd compare_;  // D×M common draws
  std::vector<Candidate> candidates_;
};

absl::StatusOr<ElboEstimate> CandidateSearch::Compare(const AffineGaussian& gaussian) {
  Eigen::VectorXd log_density;
  absl::Status status = evaluator_.EvaluateNoiseDensity(gaussian, compare_, &log_density);
  if (!status.ok()) return status;
  return ElboFromLogWeights(log_density - LogDensityOfNoise(gaussian, compare_));
}

// OK unless the error must end the warm start.
absl::Status CandidateSearch::GiveUp(const std::string& from, const absl::Status& status) {
  if (IsFatal(status)) return status;
  Log(absl::StrCat("The Gaussian fit from ", from, " was given up: ", std::string(status.message()),
                   "."));
  return absl::OkStatus();
}

absl::Status CandidateSearch::AddPolished(const AffineGaussian& matched,
                                          const std::string& matched_how, const std::string& from) {
  const PolishOptions options{.draws = std::max<int64_t>(1024, 8 * dim_), .max_iterations = 60};
  const absl::StatusOr<Polished> polished = PolishGaussian(evaluator_, matched, seed_, options);
  if (!polished.ok()) return GiveUp(from, polished.status());
  Candidate before{matched, absl::StrCat(matched_how, " from ", from)};
  Candidate after{polished->gaussian, absl::StrCat("KL descent from ", from)};
  for (Candidate* candidate : {&before, &after}) {
    absl::StatusOr<ElboEstimate> elbo = Compare(candidate->gaussian);
    if (!elbo.ok()) return elbo.status();
    candidate->elbo = *elbo;
  }
  Log(absl::StrFormat("Gaussian from %s: ELBO %.3f by %s, %.3f after %d steps of KL descent.", from,
                      before.elbo.value, matched_how, after.elbo.value, polished->iterations));
  Candidate& better = after.elbo.value >= before.elbo.value ? after : before;
  if (std::isfinite(better.elbo.value)) candidates_.push_back(std::move(better));
  return absl::OkStatus();
}

std::string Describe(const std::vector<ModeSearch>& modes) {
  int converged = 0, unbounded = 0;
  for (const ModeSearch& mode : modes) {
    converged += mode.end == SearchEnd::kConverged;
    unbounded += mode.end == SearchEnd::kUnbounded;
  }
  std::string text = absl::StrFormat("%d of %d mode searches converged", converged, modes.size());
  if (unbounded > 0) {
    absl::StrAppend(&text, ", ", unbounded, " ran away without bound");
  }
  return text;
}

absl::Status CandidateSearch::AddFromMode(const Eigen::MatrixXd& starts) {
  const std::string from = "the mode";
  const absl::StatusOr<std::vector<ModeSearch>> modes = FindModes(evaluator_, starts);
  if (!modes.ok()) return modes.status();
  const ModeSearch* best = nullptr;
  for (const ModeSearch& mode : *modes) {
    if (mode.end == SearchEnd::kUnbounded || mode.end == SearchEnd::kNotFinite) continue;
    if (best == nullptr || mode.log_density > best->log_density) best = &mode;
  }
  Log(absl::StrCat(Describe(*modes),
                   best == nullptr ? "; no mode was found."
                                   : absl::StrFormat("; log p there is %.3f.", best->log_density)));
  if (best == nullptr) return absl::OkStatus();

  const absl::StatusOr<Eigen::MatrixXd> curvature = Curvature(evaluator_, best->z);
  if (!curvature.ok()) return GiveUp(from, curvature.status());
  const absl::StatusOr<AffineGaussian> laplace = LaplaceGaussian(best->z, *curvature);
  if (!laplace.ok()) return GiveUp(from, laplace.status());
  const BatchAndMatchOptions options{.iterations = 12, .batch = std::max<int64_t>(256, 4 * dim_)};
  const absl::StatusOr<AffineGaussian> matched =
      BatchAndMatch(evaluator_, *laplace, seed_, options);
  if (matched.ok()) return AddPolished(*matched, "batch-and-match", from);
  if (IsFatal(matched.status())) return matched.status();
  Log(absl::StrCat("Batch-and-match from the mode was given up: ",
                   std::string(matched.status().message()), "; its curvature is used instead."));
  return AddPolished(*laplace, "Laplace's approximation", from);
}

absl::Status CandidateSearch::AddFromWideStart() {
  const std::string from = "a wide tempered start";
  const BatchAndMatchOptions options{.iterations = 30,
                                     .batch = std::max<int64_t>(256, 4 * dim_),
                                     .stream = DrawStream::kTempered,
                                     .ladder = 20};
  const absl::StatusOr<AffineGaussian> matched =
      BatchAndMatch(evaluator_, AffineGaussian::Isotropic(dim_, options.base_sd), seed_, options);
  if (!matched.ok()) return GiveUp(from, matched.status());
  return AddPolished(*matched, "batch-and-match", from);
}

absl::Status CandidateSearch::AddFromIdentity() {
  return AddPolished(AffineGaussian::Isotropic(dim_, 1), "no fit", "N(0, I)");
}

absl::Status CandidateSearch::AddCandidate(Candidate candidate) {
  const absl::StatusOr<ElboEstimate> elbo = Compare(candidate.gaussian);
  if (!elbo.ok()) return elbo.status();
  candidate.elbo = *elbo;
  Log(absl::StrFormat("Gaussian by %s: ELBO %.3f.", candidate.how, elbo->value));
  if (std::isfinite(elbo->value)) candidates_.push_back(std::move(candidate));
  return absl::OkStatus();
}

absl::Status CandidateSearch::AddDiagonal(const Eigen::MatrixXd& starts) {
  const absl::StatusOr<std::vector<ModeSearch>> modes = FindModes(evaluator_, starts);
  if (!modes.ok()) return modes.status();
  std::vector<std::pair<Eigen::VectorXd, std::string>> centres;
  const ModeSearch* best = nullptr;
  for (const ModeSearch& mode : *modes) {
    if (mode.end == SearchEnd::kUnbounded || mode.end == SearchEnd::kNotFinite) continue;
    if (best == nullptr || mode.log_density > best->log_density) best = &mode;
  }
  if (best != nullptr) centres.emplace_back(best->z, "the mode");
  centres.emplace_back(Eigen::VectorXd::Zero(dim_), "N(0, I)");
  for (const auto& [centre, from] : centres) {
    const absl::StatusOr<DiagonalFit> fit =
        FitDiagonal(evaluator_, centre, Eigen::VectorXd::Ones(dim_), seed_);
    if (!fit.ok()) {
      if (absl::Status status = GiveUp(from, fit.status()); !status.ok()) return status;
      continue;
    }
    absl::Status status = AddCandidate(
        {{fit->mean, fit->sd.asDiagonal()}, absl::StrCat("diagonal KL descent from ", from)});
    if (!status.ok()) return status;
    const absl::StatusOr<LowRankFit> low_rank = FitLowRank(evaluator_, *fit, seed_);
    if (!low_rank.ok()) {
      status = GiveUp(absl::StrCat(from, " with low rank"), low_rank.status());
      if (!status.ok()) return status;
      continue;
    }
    status = AddCandidate({low_rank->gaussian,
                           absl::StrFormat("diagonal plus rank %d from %s", low_rank->rank, from)});
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CandidateSearch::AddLastResort() {
  Candidate candidate{AffineGaussian::Isotropic(dim_, 1), "identity"};
  absl::StatusOr<ElboEstimate> elbo = Compare(candidate.gaussian);
  if (!elbo.ok()) return elbo.status();
  candidate.elbo = *elbo;
  if (empty()) Log("No Gaussian fit succeeded; the start is N(0, I).");
  candidates_.push_back(std::move(candidate));
  return absl::OkStatus();
}

void CandidateSearch::SortByElbo() {
  std::stable_sort(
      candidates_.begin(), candidates_.end(),
      [](const Candidate& a, const Candidate& b) { return a.elbo.value > b.elbo.value; });
}

void CandidateSearch::DropDuplicates() {
  constexpr double kSame = 0.01;  // Bhattacharyya distance
  std::vector<Candidate> kept;
  for (Candidate& candidate : candidates_) {
    const bool known = std::any_of(kept.begin(), kept.end(), [&](const Candidate& other) {
      return BhattacharyyaDistance(candidate.gaussian, other.gaussian) < kSame;
    });
    if (!known) kept.push_back(std::move(candidate));
  }
  candidates_ = std::move(kept);
}

absl::Status CandidateSearch::RefineOne(Candidate* candidate) {
  const int64_t draws = dim_ <= 50 ? 8192 : std::max<int64_t>(4096, 8 * dim_);
  const PolishOptions options{
      .draws = draws, .max_iterations = 20, .stream = DrawStream::kFinePolish};
  const absl::StatusOr<Polished> polished =
      PolishGaussian(evaluator_, candidate->gaussian, seed_, options);
  if (!polished.ok()) return IsFatal(polished.status()) ? polished.status() : absl::OkStatus();
  absl::StatusOr<ElboEstimate> elbo = Compare(polished->gaussian);
  if (!elbo.ok()) return elbo.status();
  if (elbo->value > candidate->elbo.value) {
    candidate->gaussian = polished->gaussian;
    candidate->elbo = *elbo;
  }
  return absl::OkStatus();
}

absl::Status CandidateSearch::Refine() {
  SortByElbo();
  DropDuplicates();
  const size_t refined = dim_ <= 50 ? candidates_.size() : std::min<size_t>(1, candidates_.size());
  const double best = candidates_.empty() ? 0 : candidates_.front().elbo.value;
  for (size_t i = 0; i < refined && candidates_[i].elbo.value >= best - kHopeless; ++i) {
    if (absl::Status status = RefineOne(&candidates_[i]); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::vector<GaussianFit> CandidateSearch::Take() {
  SortByElbo();
  std::vector<GaussianFit> fits;
  for (Candidate& candidate : candidates_) {
    fits.push_back({std::move(candidate.gaussian.mean), std::move(candidate.gaussian.scale),
                    candidate.elbo.value, candidate.elbo.standard_error, std::move(candidate.how)});
  }
  return fits;
}

absl::Status FullRank(CandidateSearch& search, const Eigen::MatrixXd& starts) {
  if (absl::Status status = search.AddFromMode(starts); !status.ok()) return status;
  if (absl::Status status = search.AddFromWideStart(); !status.ok()) return status;
  if (absl::Status status = search.AddFromIdentity(); !status.ok()) return status;
  return search.Refine();
}

}  // namespace

absl::StatusOr<std::vector<GaussianFit>> FitGaussianCandidates(const Target& target, uint64_t seed,
                                                               ThreadPool& pool,
                                                               const std::atomic<bool>* cancel,
                                                               std::vector<std::string>* log) {
  Evaluator evaluator(target, pool, cancel);
  const absl::StatusOr<Eigen::MatrixXd> starts = FindStarts(evaluator, seed, kStarts);
  if (!starts.ok()) return starts.status();
  CandidateSearch search(evaluator, seed, log);
  if (target.dim() <= kFullRankLimit) {
    if (absl::Status status = FullRank(search, *starts); !status.ok()) return status;
  } else if (log != nullptr) {
    log->push_back(absl::StrFormat(
        "The dimension %d is above %d: the Gaussian is diagonal plus low rank, not full rank.",
        target.dim(), kFullRankLimit));
  }
  if (search.empty()) {
    if (absl::Status status = search.AddDiagonal(*starts); !status.ok()) return status;
  }
  if (absl::Status status = search.AddLastResort(); !status.ok()) return status;
  return search.Take();
}

}  // namespace aisivi
