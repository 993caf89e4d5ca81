#include "engine/fit/schedule.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace aisivi {
namespace {

constexpr int64_t kWarmUp = 50;  // iterations over which the learning rate rises
constexpr double kFloor = 0.01;  // of the descent
constexpr int64_t kIntervals = 16;
constexpr double kDescent = 0.4;            // of all iterations, at most
constexpr double kShortestDescent = 0.125;  // of all iterations, at least
// Settled: over so many checks the ELBO rose by less than this share of its estimated gap (and by
// less than so many nats), and the residual fell by less than this share.
constexpr int64_t kLookBack = 3;
constexpr double kRise = 0.1;
constexpr double kRiseNats = 5e-4;
constexpr double kFall = 0.25;

int64_t Share(double share, int64_t of) {
  return std::max<int64_t>(1, std::llround(share * static_cast<double>(of)));
}

}  // namespace

Schedule::Schedule(const FitOptions& options) : Schedule(options, {.end = options.iterations}) {}

Schedule::Schedule(const FitOptions& options, ScheduleState state)
    : iterations_(options.iterations),
      decay_(options.decay),
      decay_every_(options.decay_every),
      interval_(std::max<int64_t>(1, options.iterations / kIntervals)),
      state_(std::move(state)) {}

double Schedule::RateFactor(int64_t iteration) const {
  if (decay_every_ > 0) {
    return std::pow(decay_, static_cast<double>(iteration / decay_every_));
  }
  const double rise = std::min(1.0, static_cast<double>(iteration + 1) / kWarmUp);
  if (!descending() || iteration < state_.descent) return rise;
  const double t = static_cast<double>(iteration - state_.descent) /
                   static_cast<double>(std::max<int64_t>(1, state_.end - state_.descent));
  return rise * (kFloor + (1 - kFloor) * 0.5 * (1 + std::cos(3.14159265358979324 * t)));
}

bool Schedule::CheckDue(int64_t done) const {
  return !descending() && done % interval_ == 0 && done < state_.end;
}

void Schedule::RecordCheck(int64_t done, const CheckReport& report) {
  state_.checks.push_back(report);
  if (decay_every_ > 0 || descending()) return;
  const int64_t longest = Share(kDescent, iterations_);
  state_.settled = HasSettled();
  if (state_.settled) {
    Descend(done, std::clamp(done / 2, Share(kShortestDescent, iterations_), longest));
  } else if (done + interval_ > iterations_ - longest) {
    Descend(done, iterations_ - done);
  }
}

void Schedule::DescendWithin(int64_t done, int64_t left) {
  if (decay_every_ > 0) return;
  if (descending()) {
    state_.end = std::min(state_.end, done + left);
    return;
  }
  Descend(done, std::min(left, iterations_ - done));
}

bool Schedule::HasSettled() const {
  const int64_t last = static_cast<int64_t>(state_.checks.size()) - 1;
  if (last < kLookBack) return false;
  const CheckReport& now = state_.checks[last];
  double before = state_.checks[0].elbo, best = state_.checks[0].elbo,
         residual = state_.checks[0].residual;
  for (int64_t i = 0; i <= last; ++i) {
    best = std::fmax(best, state_.checks[i].elbo);
    if (i > last - kLookBack) continue;
    before = std::fmax(before, state_.checks[i].elbo);
    residual = std::fmin(residual, state_.checks[i].residual);
  }
  if (!std::isfinite(best) || !std::isfinite(now.residual)) return false;
  return best - before < std::fmax(kRiseNats, kRise * now.gap) &&
         now.residual > (1 - kFall) * residual;
}

void Schedule::Descend(int64_t done, int64_t length) {
  state_.descent = done;
  state_.end = std::min(iterations_, done + std::max<int64_t>(1, length));
}

}  // namespace aisivi
