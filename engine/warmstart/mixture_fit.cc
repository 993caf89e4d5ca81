#include "engine/warmstart/mixture_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/warmstart/evaluate.h"
#include "engine/warmstart/gaussian_mixture_density.h"
#include "engine/warmstart/mixture_polish.h"
#include "engine/warmstart/multistart.h"

namespace aisivi {
namespace {

constexpr double kValley = 0.25;        // nats below the lower of two modes that separate them
constexpr double kOverlap = 0.25;       // Bhattacharyya distance below which components merge
constexpr double kNegligible = 1e-4;    // weight below which a component is dropped
constexpr double kWorthSeveral = 0.02;  // nats that more than one component must bring
constexpr int kMaxRounds = 4;

// Sets that merge: union by index, the smaller index represents.
class Partition {
 public:
  explicit Partition(int64_t size) : parent_(static_cast<size_t>(size)) {
    std::iota(parent_.begin(), parent_.end(), int64_t{0});
  }
  int64_t Find(int64_t i) const {
    while (parent_[static_cast<size_t>(i)] != i) i = parent_[static_cast<size_t>(i)];
    return i;
  }
  void Merge(int64_t i, int64_t j) {
    const int64_t a = Find(i), b = Find(j);
    parent_[static_cast<size_t>(std::max(a, b))] = std::min(a, b);
  }

 private:
  std::vector<int64_t> parent_;
};

// One component for every set of the partition, with the set's weight, mean and covariance.
AffineMixture MergeSets(const AffineMixture& mixture, const Partition& partition) {
  std::vector<std::vector<int64_t>> sets(static_cast<size_t>(mixture.size()));
  for (int64_t k = 0; k < mixture.size(); ++k) {
    sets[static_cast<size_t>(partition.Find(k))].push_back(k);
  }
  AffineMixture merged;
  std::vector<double> log_weights;
  for (const std::vector<int64_t>& members : sets) {
    if (members.empty()) continue;
    double weight = 0;
    for (int64_t k : members) weight += std::exp(mixture.log_weights[k]);
    log_weights.push_back(std::log(weight));
    merged.components.push_back(members.size() == 1
                                    ? mixture.components[static_cast<size_t>(members.front())]
                                    : MomentMatch(mixture, members));
  }
  merged.log_weights = Eigen::Map<const Eigen::VectorXd>(log_weights.data(),
                                                         static_cast<int64_t>(log_weights.size()));
  merged.Normalise();
  return merged;
}

// The pairs (i, j), i < j, of modes that may have no valley between them: each mode with its
// nearest.
std::vector<std::pair<int64_t, int64_t>> NeighbouringPairs(const std::vector<LocalMode>& modes) {
  constexpr size_t kNeighbours = 12;
  const int64_t count = static_cast<int64_t>(modes.size());
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (int64_t i = 0; i < count; ++i) {
    const AffineGaussian& own = modes[static_cast<size_t>(i)].laplace;
    std::vector<std::pair<double, int64_t>> others;  // distance in the standard deviations of i
    for (int64_t j = 0; j < count; ++j) {
      if (j == i) continue;
      const Eigen::VectorXd across = modes[static_cast<size_t>(j)].laplace.mean - own.mean;
      others.emplace_back(own.scale.triangularView<Eigen::Lower>().solve(across).squaredNorm(), j);
    }
    std::sort(others.begin(), others.end());
    if (others.size() > kNeighbours) others.resize(kNeighbours);
    for (const auto& [distance, j] : others) pairs.emplace_back(std::min(i, j), std::max(i, j));
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  return pairs;
}

// Joins modes whose connecting segment has no valley: log p̃ on it stays within kValley of the
// lower of the two.
absl::StatusOr<Partition> JoinWithoutValley(Evaluator& evaluator,
                                            const std::vector<LocalMode>& modes) {
  constexpr int64_t kInner = 15;   // points inside a segment
  constexpr int64_t kBatch = 256;  // segments evaluated together
  const std::vector<std::pair<int64_t, int64_t>> pairs = NeighbouringPairs(modes);
  const int64_t count = static_cast<int64_t>(pairs.size());
  Partition partition(static_cast<int64_t>(modes.size()));
  for (int64_t first = 0; first < count; first += kBatch) {
    const int64_t segments = std::min(kBatch, count - first);
    Eigen::MatrixXd points(evaluator.dim(), segments * kInner);
    for (int64_t p = 0; p < segments; ++p) {
      const auto [i, j] = pairs[static_cast<size_t>(first + p)];
      const Eigen::VectorXd& from = modes[static_cast<size_t>(i)].laplace.mean;
      const Eigen::VectorXd across = modes[static_cast<size_t>(j)].laplace.mean - from;
      for (int64_t s = 0; s < kInner; ++s) {
        const double position = static_cast<double>(s + 1) / (kInner + 1);
        points.col(p * kInner + s) = from + position * across;
      }
    }
    Evaluation evaluation;
    if (absl::Status status = evaluator.Evaluate(points, &evaluation); !status.ok()) return status;
    for (int64_t p = 0; p < segments; ++p) {
      const auto [i, j] = pairs[static_cast<size_t>(first + p)];
      const double lowest = evaluation.log_density.segment(p * kInner, kInner).minCoeff();
      const double rim = std::min(modes[static_cast<size_t>(i)].log_density,
                                  modes[static_cast<size_t>(j)].log_density);
      if (lowest > rim - kValley) partition.Merge(i, j);
    }
  }
  return partition;
}

AffineMixture FromModes(const std::vector<LocalMode>& modes) {
  AffineMixture mixture;
  mixture.log_weights.resize(static_cast<int64_t>(modes.size()));
  for (size_t k = 0; k < modes.size(); ++k) {
    mixture.log_weights[static_cast<int64_t>(k)] = modes[k].log_mass;
    mixture.components.push_back(modes[k].laplace);
  }
  mixture.Normalise();
  return mixture;
}

AffineMixture Prune(const AffineMixture& mixture) {
  AffineMixture kept;
  std::vector<double> log_weights;
  for (int64_t k = 0; k < mixture.size(); ++k) {
    if (mixture.log_weights[k] < std::log(kNegligible)) continue;
    log_weights.push_back(mixture.log_weights[k]);
    kept.components.push_back(mixture.components[static_cast<size_t>(k)]);
  }
  kept.log_weights = Eigen::Map<const Eigen::VectorXd>(log_weights.data(),
                                                       static_cast<int64_t>(log_weights.size()));
  kept.Normalise();
  return kept;
}

AffineMixture MergeOverlapping(const AffineMixture& mixture) {
  Partition partition(mixture.size());
  for (int64_t i = 0; i < mixture.size(); ++i) {
    for (int64_t j = i + 1; j < mixture.size(); ++j) {
      const double distance = BhattacharyyaDistance(mixture.components[static_cast<size_t>(i)],
                                                    mixture.components[static_cast<size_t>(j)]);
      if (distance < kOverlap) partition.Merge(i, j);
    }
  }
  return MergeSets(mixture, partition);
}

// Of each of `components`: their sum stays about the same beyond 32.
int64_t DrawsOfEach(int64_t dim, int64_t components) {
  return std::max<int64_t>({4 * dim, 128, std::min<int64_t>(512, 16384 / components / 2 * 2)});
}

struct FittedMixture {
  AffineMixture mixture;
  ElboEstimate elbo{-std::numeric_limits<double>::infinity(), 0};  // over fresh draws
  bool cut_short = false;  // by cancellation; the elbo is not known then
};

absl::StatusOr<FittedMixture> Polish(Evaluator& evaluator, const AffineMixture& start,
                                     uint64_t seed) {
  const MixturePolishOptions options{.draws = DrawsOfEach(evaluator.dim(), start.size())};
  absl::StatusOr<PolishedMixture> polished = PolishMixture(evaluator, start, seed, options);
  if (!polished.ok()) return polished.status();
  return FittedMixture{.mixture = Prune(polished->mixture), .cut_short = polished->cut_short};
}

absl::Status EstimateElbo(Evaluator& evaluator, uint64_t seed, FittedMixture* fitted) {
  if (fitted->cut_short) return absl::OkStatus();
  const int64_t draws = std::max<int64_t>(512, 16384 / fitted->mixture.size() / 2 * 2);
  const absl::StatusOr<ElboEstimate> elbo = MixtureElbo(evaluator, fitted->mixture, seed, draws);
  fitted->cut_short = absl::IsCancelled(elbo.status());
  if (fitted->cut_short) return absl::OkStatus();
  if (!elbo.ok()) return elbo.status();
  fitted->elbo = *elbo;
  return absl::OkStatus();
}

// Fits, drops and merges until the number of components stays; what is returned has been fitted
// after the last change.
absl::StatusOr<FittedMixture> Settle(Evaluator& evaluator, AffineMixture mixture, uint64_t seed) {
  for (int round = 0;; ++round) {
    const int64_t size = mixture.size();
    absl::StatusOr<FittedMixture> fitted = Polish(evaluator, mixture, seed);
    if (!fitted.ok()) return fitted.status();
    AffineMixture merged = MergeOverlapping(fitted->mixture);
    if (fitted->cut_short || round == kMaxRounds || merged.size() == size) {
      if (absl::Status s = EstimateElbo(evaluator, seed, &*fitted); !s.ok()) return s;
      return fitted;
    }
    mixture = std::move(merged);
  }
}

// The same without merging, for modes that overlap and still are a component each: the sum of their
// Gaussians may be exact where no smaller number is.
absl::StatusOr<FittedMixture> KeepAll(Evaluator& evaluator, const AffineMixture& mixture,
                                      uint64_t seed) {
  absl::StatusOr<FittedMixture> fitted = Polish(evaluator, mixture, seed);
  if (!fitted.ok()) return fitted.status();
  if (absl::Status s = EstimateElbo(evaluator, seed, &*fitted); !s.ok()) return s;
  return fitted;
}

MixtureFit ToFit(const AffineMixture& mixture, const ElboEstimate& elbo) {
  std::vector<int64_t> order(static_cast<size_t>(mixture.size()));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return mixture.log_weights[a] > mixture.log_weights[b];
  });
  MixtureFit fit;
  fit.weights.resize(mixture.size());
  for (int64_t k = 0; k < mixture.size(); ++k) {
    const int64_t source = order[static_cast<size_t>(k)];
    const AffineGaussian& component = mixture.components[static_cast<size_t>(source)];
    fit.weights[k] = std::exp(mixture.log_weights[source]);
    fit.components.push_back({component.mean, component.scale, elbo.value, elbo.standard_error,
                              "component of a mixture"});
  }
  fit.elbo = elbo.value;
  fit.elbo_se = elbo.standard_error;
  return fit;
}

void Tell(std::vector<std::string>* log, std::string sentence) {
  if (log != nullptr) log->push_back(std::move(sentence));
}

// The better of the two ways to make a mixture of the modes; a single component where all of them
// are one.
absl::StatusOr<FittedMixture> FitModes(Evaluator& evaluator, const Multistart& found, uint64_t seed,
                                       std::vector<std::string>* log) {
  const absl::StatusOr<Partition> partition = JoinWithoutValley(evaluator, found.modes);
  const AffineMixture all = FromModes(found.modes);
  if (absl::IsCancelled(partition.status())) {
    return FittedMixture{.mixture = all, .cut_short = true};
  }
  if (!partition.ok()) return partition.status();
  const AffineMixture joined = MergeSets(all, *partition);
  Tell(log, absl::StrFormat("%d of the modes are kept, %d of them separated by valleys.",
                            found.modes.size(), joined.size()));
  absl::StatusOr<FittedMixture> settled = FittedMixture{.mixture = joined};
  if (joined.size() > 1) settled = Settle(evaluator, joined, seed);
  const bool failed = absl::IsFailedPrecondition(settled.status());
  if (!settled.ok() && !failed) return settled;
  const bool unmerged = !failed && (settled->cut_short || settled->mixture.size() == all.size());
  if (unmerged || found.report.end == MultistartEnd::kTooManyModes) return settled;
  absl::StatusOr<FittedMixture> kept = KeepAll(evaluator, all, seed);
  if (absl::IsFailedPrecondition(kept.status())) return settled;
  if (!kept.ok()) return kept;
  if (kept->cut_short) return failed ? kept : settled;
  if (failed || kept->elbo.value > settled->elbo.value + kWorthSeveral) return kept;
  return settled;
}

// What several modes lead to; no components when one Gaussian is to be used instead.
absl::StatusOr<MixtureFit> FitSeveral(Evaluator& evaluator, const GaussianFit& single,
                                      uint64_t seed, std::vector<std::string>* log) {
  const absl::StatusOr<Multistart> found =
      FindAllModes(evaluator, {single.mean, single.scale}, seed);
  if (!found.ok()) return found.status();
  MixtureFit fit;
  fit.search = found->report;
  Tell(log, absl::StrCat("Modes: ", Describe(found->report), "."));
  if (found->modes.size() <= 1) return fit;
  if (evaluator.dim() > kFullRankLimit) {
    fit.search.end = MultistartEnd::kNotFitted;
    Tell(log, absl::StrFormat("Above %d dimensions there is no mixture.", kFullRankLimit));
    return fit;
  }
  const absl::StatusOr<FittedMixture> fitted = FitModes(evaluator, *found, seed, log);
  if (absl::IsFailedPrecondition(fitted.status())) {
    Tell(log, absl::StrCat("The mixture was given up: ", fitted.status().message(), "."));
    if (fit.search.end == MultistartEnd::kComplete) fit.search.end = MultistartEnd::kNotFitted;
    return fit;
  }
  if (!fitted.ok()) return fitted.status();
  if (fitted->mixture.size() == 1) return fit;
  const std::string mixture = absl::StrFormat("Mixture of %d Gaussians", fitted->mixture.size());
  Tell(log, fitted->cut_short ? absl::StrCat(mixture, ": there was no time to fit it to the end.")
                              : absl::StrFormat("%s: ELBO %.3f ± %.3f.", mixture,
                                                fitted->elbo.value, fitted->elbo.standard_error));
  const MultistartReport search = fit.search;
  fit = ToFit(fitted->mixture, fitted->elbo);
  fit.search = search;
  fit.cut_short = fitted->cut_short;
  return fit;
}

}  // namespace

absl::StatusOr<MixtureFit> FitMixture(const Target& target, const GaussianFit& single,
                                      uint64_t seed, ThreadPool& pool,
                                      const std::atomic<bool>* cancel,
                                      std::vector<std::string>* log) {
  Evaluator evaluator(target, pool, cancel);
  absl::StatusOr<MixtureFit> several = FitSeveral(evaluator, single, seed, log);
  if (!several.ok()) return several.status();
  if (several->components.size() > 1 &&
      (several->cut_short || several->elbo > single.elbo + kWorthSeveral)) {
    return several;
  }
  MixtureFit fit;
  fit.search = several->search;
  fit.weights = Eigen::VectorXd::Ones(1);
  fit.elbo = single.elbo;
  fit.elbo_se = single.elbo_se;
  fit.components.push_back(single);
  return fit;
}

absl::StatusOr<MixtureFit> FitMixture(const Target& target, uint64_t seed, ThreadPool& pool,
                                      const std::atomic<bool>* cancel,
                                      std::vector<std::string>* log) {
  const absl::StatusOr<std::vector<GaussianFit>> fits =
      FitGaussianCandidates(target, seed, pool, cancel, log);
  if (!fits.ok()) return fits.status();
  return FitMixture(target, fits->front(), seed, pool, cancel, log);
}

}  // namespace aisivi
