#include "engine/warmstart/mode_hunt.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/warmstart/curvature.h"
#include "engine/warmstart/lbfgs.h"

namespace aisivi {
namespace {

constexpr uint32_t kMaxRounds = 4;
constexpr double kNegligible = 1e-6;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Each mode becomes a full-rank component, whose cost grows with the dimension.
size_t MaxModes(int64_t dim) {
  if (dim <= 5) return 64;
  return dim <= 25 ? 24 : 12;
}

int64_t StartsPerRound(int64_t dim) {
  if (dim <= 5) return 256;
  if (dim <= 25) return 128;
  return dim <= 100 ? 48 : 24;
}

// The largest scale s at which log p̃ on the sphere of radius s √D is not yet negligible.
absl::StatusOr<double> LearnScale(Evaluator& evaluator, uint64_t seed) {
  constexpr int64_t kDirections = 64;
  constexpr double kFirst = 0.5, kAlways = 8, kLast = 4096;
  const double root = std::sqrt(static_cast<double>(evaluator.dim()));
  const double fall = 25 + static_cast<double>(evaluator.dim());
  double best = -kInfinity;
  uint32_t index = 0;
  double scale = kFirst;
  for (; scale < kLast; scale *= 2, ++index) {
    Eigen::MatrixXd points =
        Normals(seed, DrawStream::kScaleLadder, index, evaluator.dim(), kDirections);
    for (int64_t i = 0; i < kDirections; ++i) points.col(i) *= scale * root / points.col(i).norm();
    Evaluation evaluation;
    if (absl::Status status = evaluator.Evaluate(points, &evaluation); !status.ok()) return status;
    const double highest = evaluation.log_density.maxCoeff();
    best = std::max(best, highest);
    if (scale >= kAlways && highest < best - fall) break;
  }
  return scale;
}

// First round: normal draws at scales spread log-uniformly up to `scale`; in few dimensions every
// other start is uniform over the ball instead, which covers it evenly.
Eigen::MatrixXd SpreadStarts(uint64_t seed, int64_t dim, double scale) {
  const int64_t count = StartsPerRound(dim);
  Eigen::MatrixXd starts = Normals(seed, DrawStream::kModeStarts, 0, dim, count);
  const RngStream uniforms{.seed = seed,
                           .purpose = RngPurpose::kWarmStart,
                           .iteration = 1000,
                           .shard = static_cast<uint32_t>(DrawStream::kModeStarts)};
  const double root = std::sqrt(static_cast<double>(dim));
  for (int64_t i = 0; i < count; ++i) {
    const double u = UniformAt(uniforms, static_cast<uint32_t>(i));
    if (dim <= 4 && i % 2 == 0) {
      const double radius = scale * root * std::pow(u, 1 / static_cast<double>(dim));
      starts.col(i) *= radius / starts.col(i).norm();
    } else {
      starts.col(i) *= 0.3 * std::pow(scale / 0.3, u);
    }
  }
  return starts;
}

// Later rounds: normal draws with twice the spread of the modes found so far, no less than that of
// the widest of them.
Eigen::MatrixXd StartsAround(const std::vector<LocalMode>& modes, uint64_t seed, uint32_t round,
                             int64_t dim) {
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(dim), square = mean, widest = mean;
  for (const LocalMode& mode : modes) {
    mean += mode.laplace.mean;
    square += mode.laplace.mean.cwiseAbs2();
    widest = widest.cwiseMax(mode.laplace.scale.rowwise().norm());
  }
  const double count = static_cast<double>(modes.size());
  mean /= count;
  const Eigen::VectorXd spread =
      (square / count - mean.cwiseAbs2()).cwiseMax(0.0).cwiseSqrt().cwiseMax(2 * widest);
  Eigen::MatrixXd starts = Normals(seed, DrawStream::kModeStarts, round, dim, StartsPerRound(dim));
  starts = (2 * spread).asDiagonal() * starts;
  starts.colwise() += mean;
  return starts;
}

bool IsSame(const LocalMode& mode, const Eigen::VectorXd& z) {
  const Eigen::VectorXd x =
      mode.laplace.scale.triangularView<Eigen::Lower>().solve(z - mode.laplace.mean);
  return x.norm() < 0.5;
}

// The Laplace approximation at the end of a descent. FAILED_PRECONDITION at a saddle.
absl::StatusOr<LocalMode> MakeMode(Evaluator& evaluator, const ModeSearch& search) {
  absl::StatusOr<Eigen::MatrixXd> curvature = Curvature(evaluator, search.z);
  if (!curvature.ok()) return curvature.status();
  absl::StatusOr<AffineGaussian> laplace = LaplaceGaussian(search.z, *curvature);
  if (!laplace.ok()) return laplace.status();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(*curvature, Eigen::EigenvaluesOnly);
  if (eigen.eigenvalues().maxCoeff() > 1e-6 * eigen.eigenvalues().cwiseAbs().maxCoeff()) {
    return absl::FailedPreconditionError("a saddle, not a mode");
  }
  const double log_mass = search.log_density + laplace->scale.diagonal().array().log().sum() +
                          0.5 * static_cast<double>(search.z.size()) * std::log(2 * M_PI);
  return LocalMode{search.log_density, *std::move(laplace), log_mass};
}

// Adds what is new among the ends of one round; returns how many modes that matter it added.
absl::StatusOr<int> AddModes(Evaluator& evaluator, std::vector<ModeSearch> ends,
                             std::vector<LocalMode>* modes) {
  std::stable_sort(ends.begin(), ends.end(), [](const ModeSearch& a, const ModeSearch& b) {
    return a.log_density > b.log_density;
  });
  int added = 0;
  for (const ModeSearch& end : ends) {
    if (end.end != SearchEnd::kConverged || modes->size() >= 2 * MaxModes(evaluator.dim()))
      continue;
    const bool known = std::any_of(modes->begin(), modes->end(),
                                   [&](const LocalMode& mode) { return IsSame(mode, end.z); });
    if (known) continue;
    absl::StatusOr<LocalMode> mode = MakeMode(evaluator, end);
    if (absl::IsFailedPrecondition(mode.status()) || absl::IsOutOfRange(mode.status())) continue;
    if (!mode.ok()) return mode.status();
    double heaviest = mode->log_mass;
    for (const LocalMode& other : *modes) heaviest = std::max(heaviest, other.log_mass);
    added += mode->log_mass > heaviest + std::log(kNegligible);
    modes->push_back(*std::move(mode));
  }
  return added;
}

}  // namespace

absl::StatusOr<std::vector<LocalMode>> HuntModes(Evaluator& evaluator, uint64_t seed) {
  const absl::StatusOr<double> scale = LearnScale(evaluator, seed);
  if (!scale.ok()) return scale.status();
  LbfgsOptions options;
  // Steps that cannot leap over several modes at once.
  options.max_step = *scale * std::sqrt(static_cast<double>(evaluator.dim())) / 8;
  std::vector<LocalMode> modes;
  Eigen::MatrixXd starts = SpreadStarts(seed, evaluator.dim(), *scale);
  for (uint32_t round = 1; round <= kMaxRounds; ++round) {
    absl::StatusOr<std::vector<ModeSearch>> ends = FindModes(evaluator, starts, options);
    if (!ends.ok()) return ends.status();
    const absl::StatusOr<int> added = AddModes(evaluator, *std::move(ends), &modes);
    if (!added.ok()) return added.status();
    // One mode after the first round is the common case: no second look.
    if (modes.size() <= 1 || *added == 0) break;
    starts = StartsAround(modes, seed, round, evaluator.dim());
  }
  std::stable_sort(modes.begin(), modes.end(),
                   [](const LocalMode& a, const LocalMode& b) { return a.log_mass > b.log_mass; });
  const size_t most = MaxModes(evaluator.dim());
  if (modes.size() > most) modes.erase(modes.begin() + static_cast<int64_t>(most), modes.end());
  while (modes.size() > 1 &&
         modes.back().log_mass < modes.front().log_mass + std::log(kNegligible)) {
    modes.pop_back();
  }
  return modes;
}

}  // namespace aisivi
