#include "engine/warmstart/multistart.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/warmstart/curvature.h"
#include "engine/warmstart/lbfgs.h"
#include "engine/warmstart/mode_starts.h"

namespace aisivi {
namespace {

constexpr double kNegligible = 1e-6;  // of the heaviest mode's mass
constexpr double kSame = 0.5;         // standard deviations between ends that are one mode
// Nats that a Newton step from a maximum may promise. In a long narrow valley a search ends far
// from one: the funnel's neck rises by 4.5 nats per unit where the steps that can be taken are
// 1e-3.
constexpr double kStillClimbing = 0.1;
constexpr double kFlattest = 1e-13;  // curvature, of the largest
// Half of what the training of a default fit evaluates at its points: with one or two components,
// with each of several, and at most. The first is also the least that several modes have to stand.
constexpr int64_t kMostEvaluations = 1 << 17, kMostOfEach = 1 << 16, kMostOfAll = 1 << 20;
constexpr double kMostBytes = 256e6;  // of all modes' covariance factors
// Operations of one pass over the draws of a mixture of as many components (mixture_polish.h).
constexpr double kMostPolishFlop = 5e10;
constexpr int64_t kOften = 10;  // searches that every mode that matters must have met
// Modes with basins smaller again by the whole span of those met would have been met so often at
// least: on the way, where more searches can still tell (a judgement), and at the end. With 0.1 at
// the end one of 55 fits of random mixtures that were called good had missed a tenth of the mass.
constexpr double kSpanOnTheWay = 1, kSpanAtTheEnd = 0.2;
// That a single mode has to stand at least, and after which it is taken for all there is, as it is
// of most targets: where starts are recognised nearly all of these are of the density alone. Where
// every search has to be made it is kMostEvaluations with their scores.
constexpr int64_t kOneModeEvaluations = 1 << 14, kMostOfOne = 1 << 19;
// The least where all other modes that were met are negligible: the landscape is known to be
// rugged. A judgement; the verdict study's mixtures have no such modes.
constexpr int64_t kOneOfSeveralEvaluations = 1 << 15;
// What is thought of the spread of log n over the modes before any is met: basins grow with the
// D-th power of the modes' scales, and these differ by a third or so. (With 1.5 whatever D, three
// of those 55, in 22 to 28 dimensions, had missed a tenth of the mass or more with several modes
// met.)
constexpr double kPriorModes = 2, kPriorSpread = 1.5, kPriorSpreadOfEach = 0.3;
constexpr double kRelevant = 1e-4;  // of all mass: modes with less do not count for `unmet`
// A search in which every third start leads to a mode of its own is no census.
constexpr int64_t kTellingSearches = 512;
constexpr double kManyNew = 1.0 / 3;
constexpr double kFewEnds = 0.5;  // share of the searches that must find a maximum
constexpr double kMostRadius = 1e6;
constexpr double kFarShare = 0.1;  // of the radius: a mode beyond asks for a larger one

int64_t StartsPerRound(int64_t dim) { return dim <= 100 ? 256 : 64; }

// The most modes that can be fitted together, by memory and by time.
int64_t MostModes(int64_t dim) {
  const double d = static_cast<double>(dim);
  const double draws = std::max(4 * d, 128.0);
  const double by_time = std::sqrt(kMostPolishFlop / (2 * d * d * draws));
  const double by_memory = kMostBytes / (8 * d * d);
  return std::max<int64_t>(4, static_cast<int64_t>(std::min(by_time, by_memory)));
}

int64_t MostEvaluations(size_t modes) {
  return std::clamp(static_cast<int64_t>(modes) * kMostOfEach, kMostEvaluations, kMostOfAll);
}

// Those of a search that met too many: a mixture of a part of the modes, of which training has to
// make the best.
size_t ModesKeptOfTooMany(int64_t dim) {
  if (dim <= 5) return 64;
  return dim <= 25 ? 24 : 12;
}

double Distance(const LocalMode& mode, const Eigen::VectorXd& z) {
  return mode.laplace.scale.triangularView<Eigen::Lower>().solve(z - mode.laplace.mean).norm();
}

// The mode in whose Gaussian neighbourhood z lies, or −1: log p̃ there is what the Laplace
// approximation of that mode says, so that an ascent would end in it.
int64_t Recognise(const std::vector<LocalMode>& modes, const Eigen::VectorXd& z,
                  double log_density) {
  constexpr double kTolerance = 0.1;  // nats
  int64_t best = -1;
  double highest = -std::numeric_limits<double>::infinity();
  for (size_t k = 0; k < modes.size(); ++k) {
    const double distance = Distance(modes[k], z);
    const double predicted = modes[k].log_density - 0.5 * distance * distance;
    if (predicted <= highest) continue;
    highest = predicted;
    best = static_cast<int64_t>(k);
  }
  return std::abs(highest - log_density) < kTolerance ? best : -1;
}

// Whether z is a maximum to within what matters, by the curvature H and the score g there: no
// direction curves upward or is flatter than doubles can tell beside the steepest, and a Newton
// step promises ½ gᵀ(−H)⁻¹g < kStillClimbing.
bool IsMaximum(const Eigen::MatrixXd& curvature, const Eigen::VectorXd& score) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(-curvature);
  const double largest = eigen.eigenvalues().cwiseAbs().maxCoeff();
  if (!(eigen.eigenvalues().minCoeff() > kFlattest * largest)) return false;
  const Eigen::VectorXd slopes = eigen.eigenvectors().transpose() * score;
  return 0.5 * slopes.cwiseAbs2().cwiseQuotient(eigen.eigenvalues()).sum() < kStillClimbing;
}

// The Laplace approximation at the end of a search. FAILED_PRECONDITION where it is no maximum.
absl::StatusOr<LocalMode> MakeMode(Evaluator& evaluator, const AffineGaussian& fit,
                                   const ModeSearch& search) {
  AffineGaussian laplace{search.z, fit.scale};
  if (evaluator.dim() <= kFullRankLimit) {
    absl::StatusOr<Eigen::MatrixXd> curvature = Curvature(evaluator, search.z);
    if (!curvature.ok()) return curvature.status();
    absl::StatusOr<AffineGaussian> gaussian = LaplaceGaussian(search.z, *curvature);
    if (!gaussian.ok()) return gaussian.status();
    Evaluation at;
    if (absl::Status s = evaluator.Evaluate(search.z, &at); !s.ok()) return s;
    if (!IsMaximum(*curvature, at.score.col(0))) {
      return absl::FailedPreconditionError("a saddle or a slope, not a mode");
    }
    laplace = *std::move(gaussian);
  }
  const double log_mass = search.log_density + laplace.scale.diagonal().array().log().sum() +
                          0.5 * static_cast<double>(search.z.size()) * std::log(2 * M_PI);
  return LocalMode{search.log_density, std::move(laplace), log_mass};
}

// Whether modes that were met so often are likely to be all there are.
bool SeenEnough(const std::vector<int64_t>& met, int64_t dim, double span) {
  const auto [least, most] = std::minmax_element(met.begin(), met.end());
  const double fewest = static_cast<double>(*least);
  return *least >= kOften && fewest * fewest >= span * static_cast<double>(*most) &&
         UnmetShare(met, dim) <= kUnmet;
}

// A search for modes on its way.
class Census {
 public:
  Census(Evaluator& evaluator, const AffineGaussian& fit, uint64_t seed)
      : evaluator_(evaluator),
        fit_(fit),
        seed_(seed),
        most_modes_(MostModes(evaluator.dim())),
        evaluated_before_(evaluator.evaluated()),
        scored_before_(evaluator.scored()) {}

  absl::StatusOr<Multistart> Run();

 private:
  absl::Status Round(uint32_t round, int64_t count);
  // The mode that each start is in the neighbourhood of, or −1.
  std::vector<int64_t> RecogniseAll(const ModeStarts& starts) const;
  // Searches from the starts `which`.
  absl::Status Search(const ModeStarts& starts, const std::vector<int64_t>& which);
  // Adds what the searches of a round found.
  absl::Status Count(const std::vector<ModeSearch>& ends, const std::vector<bool>& counts);
  // The mode at the end of a search, a new one if need be; null where it is no mode.
  absl::Status ModeOf(const ModeSearch& end, LocalMode** mode);
  // Why the search is over, if it is.
  std::optional<MultistartEnd> Over() const;
  // How often each mode that matters was met.
  std::vector<int64_t> Met() const;
  void WidenRadius();
  // Searches that bring a single mode's to their limit, at what those so far have cost; where there
  // are several it is not asked.
  int64_t Affordable() const;
  double Heaviest() const;
  Multistart Finish(MultistartEnd end);

  Evaluator& evaluator_;
  const AffineGaussian& fit_;
  const uint64_t seed_;
  const int64_t most_modes_;
  const int64_t evaluated_before_, scored_before_;
  StartRegion region_;
  std::vector<LocalMode> modes_;
  int64_t searches_ = 0, ended_ = 0;  // all; those that led to a maximum
  int64_t round_searches_ = 0, round_new_ = 0;
};

double Census::Heaviest() const {
  double heaviest = -std::numeric_limits<double>::infinity();
  for (const LocalMode& mode : modes_) heaviest = std::max(heaviest, mode.log_mass);
  return heaviest;
}

absl::Status Census::Round(uint32_t round, int64_t count) {
  std::vector<AffineGaussian> known;
  for (const LocalMode& mode : modes_) known.push_back(mode.laplace);
  const absl::StatusOr<ModeStarts> starts =
      SpreadStarts(evaluator_, fit_, region_, known, seed_, round, count);
  if (!starts.ok()) return starts.status();
  const std::vector<int64_t> known_ends = RecogniseAll(*starts);
  std::vector<int64_t> unknown;
  for (int64_t i = 0; i < starts->points.cols(); ++i) {
    if (!std::isfinite(starts->log_density[i])) continue;
    ++searches_;
    const int64_t k = known_ends[static_cast<size_t>(i)];
    if (k < 0) {
      unknown.push_back(i);
      continue;
    }
    ++ended_;
    modes_[static_cast<size_t>(k)].met += starts->counts[static_cast<size_t>(i)];
  }
  return Search(*starts, unknown);
}

std::vector<int64_t> Census::RecogniseAll(const ModeStarts& starts) const {
  std::vector<int64_t> result(static_cast<size_t>(starts.points.cols()));
  evaluator_.pool().ParallelFor(starts.points.cols(), [&](int64_t i, int) {
    result[static_cast<size_t>(i)] = Recognise(modes_, starts.points.col(i), starts.log_density[i]);
  });
  return result;
}

absl::Status Census::Search(const ModeStarts& starts, const std::vector<int64_t>& which) {
  Eigen::MatrixXd points(evaluator_.dim(), static_cast<int64_t>(which.size()));
  std::vector<bool> counts;
  for (size_t i = 0; i < which.size(); ++i) {
    points.col(static_cast<int64_t>(i)) = starts.points.col(which[i]);
    counts.push_back(starts.counts[static_cast<size_t>(which[i])]);
  }
  LbfgsOptions options;
  // Steps that cannot leap over several modes at once, and that soon come in from far away.
  options.max_step = region_.near * std::sqrt(static_cast<double>(evaluator_.dim())) / 8;
  options.max_step_share = 0.25;
  options.centre = fit_.mean;
  options.recognise = [this](const Eigen::VectorXd& z, double log_density) {
    return Recognise(modes_, z, log_density);
  };
  const absl::StatusOr<std::vector<ModeSearch>> ends = FindModes(evaluator_, points, options);
  if (!ends.ok()) return ends.status();
  return Count(*ends, counts);
}

absl::Status Census::Count(const std::vector<ModeSearch>& ends, const std::vector<bool>& counts) {
  // The highest first, so that of two ends in one place the better becomes the mode.
  std::vector<size_t> order(ends.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return ends[a].log_density > ends[b].log_density; });
  round_new_ = 0;
  for (const size_t i : order) {
    const ModeSearch& end = ends[i];
    if (end.end != SearchEnd::kKnown && end.end != SearchEnd::kConverged) continue;
    LocalMode* mode = nullptr;
    if (end.end == SearchEnd::kKnown) {
      mode = &modes_[static_cast<size_t>(end.known)];
    } else if (absl::Status s = ModeOf(end, &mode); !s.ok()) {
      return s;
    }
    if (mode == nullptr) continue;
    ++ended_;
    mode->met += counts[i];
  }
  return absl::OkStatus();
}

absl::Status Census::ModeOf(const ModeSearch& end, LocalMode** mode) {
  for (LocalMode& known : modes_) {
    if (Distance(known, end.z) >= kSame) continue;
    *mode = &known;
    return absl::OkStatus();
  }
  if (static_cast<int64_t>(modes_.size()) > most_modes_) return absl::OkStatus();
  absl::StatusOr<LocalMode> made = MakeMode(evaluator_, fit_, end);
  if (absl::IsFailedPrecondition(made.status()) || absl::IsOutOfRange(made.status())) {
    return absl::OkStatus();
  }
  if (!made.ok()) return made.status();
  round_new_ += made->log_mass > Heaviest() + std::log(kNegligible);
  modes_.push_back(*std::move(made));
  *mode = &modes_.back();
  return absl::OkStatus();
}

std::vector<int64_t> Census::Met() const {
  const double heaviest = Heaviest();
  std::vector<int64_t> met;
  for (const LocalMode& mode : modes_) {
    if (mode.log_mass > heaviest + std::log(kRelevant)) met.push_back(mode.met);
  }
  return met;
}

std::optional<MultistartEnd> Census::Over() const {
  const int64_t evaluated = evaluator_.evaluated() - evaluated_before_;
  if (static_cast<int64_t>(modes_.size()) > most_modes_) return MultistartEnd::kTooManyModes;
  if (modes_.empty() || static_cast<double>(ended_) < kFewEnds * static_cast<double>(searches_)) {
    return MultistartEnd::kNoMode;
  }
  if (modes_.size() == 1) {
    const bool enough =
        evaluated >= kOneModeEvaluations && UnmetShare(Met(), evaluator_.dim()) <= kUnmet;
    const int64_t scored = evaluator_.scored() - scored_before_;
    if (!enough && evaluated < kMostOfOne && scored < kMostEvaluations) return std::nullopt;
    return MultistartEnd::kComplete;
  }
  if (searches_ >= kTellingSearches &&
      static_cast<double>(round_new_) > kManyNew * static_cast<double>(round_searches_)) {
    return MultistartEnd::kTooManyModes;
  }
  const bool at_the_end = evaluated > MostEvaluations(modes_.size());
  const std::vector<int64_t> met = Met();
  if (evaluated >= (met.size() == 1 ? kOneOfSeveralEvaluations : kMostEvaluations) &&
      SeenEnough(met, evaluator_.dim(), at_the_end ? kSpanAtTheEnd : kSpanOnTheWay)) {
    return MultistartEnd::kComplete;
  }
  if (at_the_end) return MultistartEnd::kOutOfWork;
  return std::nullopt;
}

// From beyond the outermost modes there must be starts.
void Census::WidenRadius() {
  double farthest = 0;
  for (const LocalMode& mode : modes_) {
    const Eigen::VectorXd x =
        fit_.scale.triangularView<Eigen::Lower>().solve(mode.laplace.mean - fit_.mean);
    farthest = std::max(farthest, x.norm() / std::sqrt(static_cast<double>(x.size())));
  }
  while (region_.radius < kMostRadius && farthest > kFarShare * region_.radius) {
    region_.radius *= 10;
  }
}

int64_t Census::Affordable() const {
  constexpr int64_t kLeast = 64;
  const int64_t scored = evaluator_.scored() - scored_before_;
  if (modes_.size() != 1 || scored == 0) return std::numeric_limits<int64_t>::max();
  return std::max(kLeast, (kMostEvaluations - scored) * searches_ / scored);
}

Multistart Census::Finish(MultistartEnd end) {
  Multistart result;
  MultistartReport& report = result.report;
  report = {.end = end,
            .searches = searches_,
            .radius = region_.radius,
            // Most targets have one mode.
            .unmet = UnmetShare(Met(), modes_.size() == 1 ? 1 : evaluator_.dim()),
            .evaluations = evaluator_.evaluated() - evaluated_before_};
  std::stable_sort(modes_.begin(), modes_.end(),
                   [](const LocalMode& a, const LocalMode& b) { return a.log_mass > b.log_mass; });
  while (modes_.size() > 1 &&
         modes_.back().log_mass < modes_.front().log_mass + std::log(kNegligible)) {
    modes_.pop_back();
  }
  report.modes = static_cast<int64_t>(modes_.size());
  const size_t kept = ModesKeptOfTooMany(evaluator_.dim());
  if (end == MultistartEnd::kTooManyModes && modes_.size() > kept) {
    modes_.erase(modes_.begin() + static_cast<int64_t>(kept), modes_.end());
  }
  result.modes = std::move(modes_);
  return result;
}

absl::StatusOr<Multistart> Census::Run() {
  const absl::StatusOr<double> scale = NearScale(evaluator_, seed_);
  if (!scale.ok()) return scale.status();
  region_.near = *scale;
  int64_t count = StartsPerRound(evaluator_.dim());
  for (uint32_t round = 0;; ++round) {
    round_searches_ = count;
    const absl::Status searched = Round(round, count);
    // The modes met so far are worth having where it is the clock that ends the search.
    if (absl::IsCancelled(searched) && !modes_.empty()) return Finish(MultistartEnd::kOutOfWork);
    if (!searched.ok()) return searched;
    if (const std::optional<MultistartEnd> end = Over(); end.has_value()) return Finish(*end);
    WidenRadius();
    count = std::min({int64_t{8192}, 2 * count, Affordable()});
  }
}

}  // namespace

double UnmetShare(std::vector<int64_t> met, int64_t dim) {
  if (met.empty()) return 1;
  std::sort(met.begin(), met.end());
  const size_t half = met.size() / 2;
  const auto log_of = [&](size_t i) {
    return std::log(std::max(static_cast<double>(met[i]), 0.5));
  };
  const double median =
      met.size() % 2 == 1 ? log_of(half) : 0.5 * (log_of(half - 1) + log_of(half));
  double squares = 0;
  for (size_t i = 0; i < half; ++i) squares += (log_of(i) - median) * (log_of(i) - median);
  const double prior = std::max(kPriorSpread, kPriorSpreadOfEach * static_cast<double>(dim));
  const double spread = std::sqrt((2 * squares + kPriorModes * prior * prior) /
                                  (static_cast<double>(met.size()) - 1 + kPriorModes));
  return 0.5 * std::erfc(median / spread / std::sqrt(2.0));
}

absl::StatusOr<Multistart> FindAllModes(Evaluator& evaluator, const AffineGaussian& fit,
                                        uint64_t seed) {
  return Census(evaluator, fit, seed).Run();
}

std::string Describe(const MultistartReport& report) {
  const std::string met =
      absl::StrFormat("%d mode%s met by %d searches within %g standard deviations", report.modes,
                      report.modes == 1 ? "" : "s", report.searches, report.radius);
  switch (report.end) {
    case MultistartEnd::kNotMade:
      return "no search for modes was made";
    case MultistartEnd::kComplete:
      return met;
    case MultistartEnd::kTooManyModes:
      return met + "; there are too many to tell apart or to fit";
    case MultistartEnd::kOutOfWork:
      return met + "; the search was cut short, more would have been found";
    case MultistartEnd::kNoMode:
      return absl::StrFormat("most of %d searches found no maximum", report.searches);
    case MultistartEnd::kNotFitted:
      return met + "; the fit leaves some of them out";
  }
  return met;
}

}  // namespace aisivi
