// Where the searches for modes begin.
//
// Near: normal draws around the origin at scales spread log-uniformly up to where log p̃ is small
// beyond doubt, in few dimensions uniform over that ball too. Far: normal draws around a Gaussian
// fit, at c times its standard deviations, c log-uniform up to `radius`: from far away all
// directions lead to the widest or nearest modes, however far these lie. Around: once modes are
// known, draws over the region that they span, and on the lines between them, or in the shells
// about a single one: most of the starts then, for narrow modes beside wide ones are met from
// nearby only.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

// Sizes of the region in which starts are spread.
struct StartRegion {
  double near = 8;       // largest scale of the near starts, in units of z
  double radius = 1000;  // largest scale c of the far ones, in standard deviations of the fit
};

// The largest scale s at which log p̃ on the sphere of radius s √D is not yet small: shells of
// doubling radius until it has fallen by 25 + D below the best value seen.
absl::StatusOr<double> NearScale(Evaluator& evaluator, uint64_t seed);

struct ModeStarts {
  Eigen::MatrixXd points;       // D×N
  Eigen::VectorXd log_density;  // N; −inf where the target cannot be evaluated
  // N: whether the start was placed without regard to any one mode, so that the share of such
  // starts that lead to a mode tells the size of its basin. Neither far ones nor those between
  // modes.
  std::vector<bool> counts;
};

// Starts of round `round` (count of them). modes: the Laplace approximations of those known so far.
// Starts at which the target cannot be evaluated have been moved towards the centre of the fit
// until it can, a few times. Error: the target's own, or CANCELLED.
absl::StatusOr<ModeStarts> SpreadStarts(Evaluator& evaluator, const AffineGaussian& fit,
                                        const StartRegion& region,
                                        const std::vector<AffineGaussian>& modes, uint64_t seed,
                                        uint32_t round, int64_t count);

}  // namespace aisivi
