#include "engine/targets/diffusion_evidence.h"

#include <algorithm>
#include <cmath>

#include "engine/targets/builtin.h"

namespace aisivi {
namespace {

constexpr double kReach = 8.5;  // standard deviations, beyond which a Gaussian is left out
constexpr double kMostWork = 1e8;
// An observation whose likelihood, averaged over the filter, is a smaller share of its peak may
// rest on tails that were left out.
constexpr double kLeastShare = 1e-8;

// Points low, low + spacing, …
struct Grid {
  double low = 0, spacing = 0;
  Eigen::Index count = 0;
  double at(Eigen::Index i) const { return low + spacing * static_cast<double>(i); }
};

Grid MakeGrid(const DiffusionInstance& instance) {
  const double deviation = std::sqrt(instance.dt());
  const double slope = 1 + instance.beta * instance.dt();  // the largest of NextMean
  const double reach = std::fmax(1.0, instance.observations.cwiseAbs().maxCoeff()) +
                       kReach * std::sqrt(instance.time);
  Grid grid;
  grid.spacing = 0.5 * std::fmin(deviation / slope, instance.noise);
  const double half = std::ceil(reach / grid.spacing);
  if (half * kReach * deviation / grid.spacing * instance.steps > kMostWork) return grid;
  grid.low = -half * grid.spacing;
  grid.count = 2 * static_cast<Eigen::Index>(half) + 1;
  return grid;
}

// N(u; mean, dt) on the part of the grid within reach of its mean, times the spacing.
struct Transition {
  Eigen::Index first = 0;
  Eigen::VectorXd density;
};

Transition MakeTransition(const Grid& grid, double mean, double variance) {
  const double reach = kReach * std::sqrt(variance);
  const auto index = [&grid](double u) {
    return static_cast<Eigen::Index>(
        std::clamp((u - grid.low) / grid.spacing, 0.0, static_cast<double>(grid.count - 1)));
  };
  Transition t;
  t.first = index(mean - reach);
  t.density.resize(index(mean + reach) - t.first + 1);
  const double constant = grid.spacing / std::sqrt(variance) * std::exp(-0.5 * kLog2Pi);
  for (Eigen::Index i = 0; i < t.density.size(); ++i) {
    const double d = grid.at(t.first + i) - mean;
    t.density(i) = constant * std::exp(-0.5 * d * d / variance);
  }
  return t;
}

class Filter {
 public:
  Filter(const DiffusionInstance& instance, const Grid& grid)
      : instance_(instance), grid_(grid), mass_(grid.count), next_(grid.count) {
    transitions_.reserve(grid.count);
    for (Eigen::Index i = 0; i < grid.count; ++i) {
      transitions_.push_back(MakeTransition(grid, NextMean(instance, grid.at(i)), instance.dt()));
    }
    mass_.setZero();
    mass_(grid.count / 2) = 1;  // u_0 = 0
  }

  void Move() {
    next_.setZero();
    for (Eigen::Index i = 0; i < grid_.count; ++i) {
      const Transition& t = transitions_[i];
      if (mass_(i) > 0) next_.segment(t.first, t.density.size()) += mass_(i) * t.density;
    }
    mass_.swap(next_);
  }

  // Conditions on y at the present step; false if that cannot be told from the grid.
  bool Observe(double y) {
    for (Eigen::Index i = 0; i < grid_.count; ++i) {
      const double r = (y - grid_.at(i)) / instance_.noise;
      mass_(i) *= std::exp(-0.5 * r * r);
    }
    const double share = mass_.sum();  // the mass was 1
    if (!(share > kLeastShare)) return false;
    mass_ /= share;
    log_z_ += std::log(share) - 0.5 * kLog2Pi - std::log(instance_.noise);
    return true;
  }

  double log_z() const { return log_z_; }

 private:
  const DiffusionInstance& instance_;
  const Grid grid_;
  std::vector<Transition> transitions_;
  Eigen::VectorXd mass_, next_;  // of the state at the grid's points
  double log_z_ = 0;
};

}  // namespace

double NextMean(const DiffusionInstance& instance, double v) {
  return v * (1 + instance.dt() * instance.beta * (2 / (1 + v * v) - 1));
}

std::optional<double> DiffusionLogEvidence(const DiffusionInstance& instance) {
  if (instance.beta < 0 || instance.beta * instance.dt() > 1) return std::nullopt;
  const Grid grid = MakeGrid(instance);
  if (grid.count == 0) return std::nullopt;
  Filter filter(instance, grid);
  Eigen::Index seen = 0;
  for (Eigen::Index step = 0; step < instance.steps; ++step) {
    filter.Move();
    if (seen == instance.observations.size() || instance.observed_steps[seen] != step) continue;
    if (!filter.Observe(instance.observations(seen++))) return std::nullopt;
  }
  return filter.log_z();
}

}  // namespace aisivi
