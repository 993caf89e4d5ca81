// Modes of a target: limited-memory BFGS on f = −log p̃ from many starts at once.
//
// Every start keeps its own history; all that are still running are evaluated together, one batch
// per step. The line search is the weak-Wolfe bisection of Lewis & Overton (Math. Programming
// 2013); the direction is the two-loop recursion of Nocedal & Wright, "Numerical Optimization",
// algorithm 7.4. A point that cannot be evaluated counts as infinitely high and is backed away
// from.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

struct LbfgsOptions {
  int history = 12;
  int max_iterations = 400;
  // A few for each iteration at most: where log p̃ has noise (a solver's, say) a line search bisects
  // forty times to gain nothing, and one such search of hundreds would outlast all others.
  int max_evaluations = 1000;
  double tolerance = 1e-6;    // nats: stop when a quasi-Newton step promises less, twice in a row
  double max_norm = 5e7;      // ‖z‖ beyond this: the target is unbounded
  double max_step = 1e8;      // no trial moves farther than this from its iterate, …
  double max_step_share = 0;  // … or than this share of the iterate's distance from `centre`
  Eigen::VectorXd centre;     // D; only with max_step_share > 0
  // Asked at every new iterate: the index of a place that is known already and to which this one
  // would lead, or −1. May be empty.
  std::function<int64_t(const Eigen::VectorXd& z, double log_density)> recognise;
};

enum class SearchEnd { kConverged, kKnown, kIterationLimit, kLineSearch, kUnbounded, kNotFinite };

struct ModeSearch {
  Eigen::VectorXd z;  // D; the best point seen
  double log_density;
  SearchEnd end;
  int iterations;
  int64_t known = -1;  // what `recognise` said, where it ended the search
};

// starts: D×S. One result per start, in order. A start that cannot be evaluated ends kNotFinite at
// once. Error: the target's own, or CANCELLED.
absl::StatusOr<std::vector<ModeSearch>> FindModes(Evaluator& evaluator,
                                                  const Eigen::Ref<const Eigen::MatrixXd>& starts,
                                                  const LbfgsOptions& options = {});

}  // namespace aisivi
