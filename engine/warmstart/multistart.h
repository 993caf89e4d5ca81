// The distinct modes of a target, by multi-start: L-BFGS searches from starts spread near and far,
// and the Laplace approximation at each place where they end.
//
// Rounds of starts (mode_starts.h) go on until the search has seen enough. The modes' basins differ
// in size, by many powers of ten where narrow modes stand beside wide ones: the number of searches
// that meet a mode is taken for log-normal over the modes, log n_k ~ N(μ, τ²), with μ and τ from
// the modes met so far, and the share of the modes that are met less than once,
//   unmet = Φ(−μ/τ),
// has to be at most kUnmet. τ² carries two pseudo-observations of max(1.5, 0.3 D)², since two or
// three modes tell little about it and basins grow with the D-th power of the modes' scales. A
// single mode is taken for all there is when it stands by that rule, and at the latest after
// 524,288 evaluations or 131,072 of them with their score, since most targets have one. Only starts
// that were placed without regard to any one mode count, those about a single mode among them. This
// is a statement about modes of the kind that was met: a needle beside a single wide mode is seen
// by no multi-start, and by no number here.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

struct LocalMode {
  double log_density;
  AffineGaussian laplace;  // mean: the mode
  double log_mass;         // log p̃(mode) + (D/2) log 2π + Σ log A_ii
  int64_t met = 0;         // counted searches that ended here
};

// How a search for modes ended.
enum class MultistartEnd {
  kNotMade,       // no search was asked for
  kComplete,      // by itself: enough was seen
  kTooManyModes,  // more modes than can be told apart or fitted
  kOutOfWork,     // the most evaluations that it may use
  kNoMode,        // most searches found no maximum: the target has none, or a very flat one
  kNotFitted,     // modes were met that the fit leaves out
};

struct MultistartReport {
  MultistartEnd end = MultistartEnd::kNotMade;
  int64_t searches = 0;     // L-BFGS searches that began at a point where the target is finite
  int64_t modes = 0;        // distinct maxima, those below 1e-6 of the heaviest left out
  double radius = 0;        // farthest starts, in standard deviations of the Gaussian fit
  double unmet = 1;         // estimated share of the modes that were not met, in (0, 1)
  int64_t evaluations = 0;  // points at which the target was evaluated
};

inline constexpr double kUnmet = 0.01;

// The estimate of `unmet` from the numbers of searches that met each mode, in `dim` dimensions.
double UnmetShare(std::vector<int64_t> met, int64_t dim);

struct Multistart {
  std::vector<LocalMode> modes;  // heaviest first
  MultistartReport report;
};

// Maxima only (no saddles). Two ends are one mode when they lie within half a standard deviation of
// each other. `fit` gives the scale of the starts; above 500 dimensions its covariance stands for
// that of every mode. `modes` may be empty. A search that met too many keeps the heaviest modes
// only: 64 up to 5 dimensions, 24 up to 25, 12 above. Deterministic in `seed` at any thread
// count. Error: the target's own, or CANCELLED.
absl::StatusOr<Multistart> FindAllModes(Evaluator& evaluator, const AffineGaussian& fit,
                                        uint64_t seed);

// "40 modes were met by 1024 searches …": one sentence for people.
std::string Describe(const MultistartReport& report);

}  // namespace aisivi
