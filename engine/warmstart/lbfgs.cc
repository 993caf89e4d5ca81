#include "engine/warmstart/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <utility>

namespace aisivi {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kArmijo = 1e-4;
constexpr double kWolfe = 0.9;
constexpr int kMaxTrials = 40;

struct Pair {
  Eigen::VectorXd s, y;  // steps in z and in the gradient of f
  double inverse;        // 1 / sᵀy
};

struct Point {
  Eigen::VectorXd z, gradient;  // of f = −log p̃
  double f = kInfinity;
};

// One descent. Trial() is where it wants to be evaluated next, Observe() tells it what was found.
class Descent {
 public:
  Descent(const Eigen::VectorXd& start, const LbfgsOptions& options) : options_(options) {
    trial_.z = start;
    current_.z = start;
  }

  bool running() const { return running_; }
  const Eigen::VectorXd& Trial() const { return trial_.z; }

  void Observe(double log_density, const Eigen::Ref<const Eigen::VectorXd>& score) {
    ++evaluations_;
    trial_.f = -log_density;
    trial_.gradient = -score;
    if (!started_) {
      started_ = true;
      if (!std::isfinite(trial_.f)) return Stop(SearchEnd::kNotFinite);
      current_ = trial_;
      return NewDirection();
    }
    Search();
  }

  ModeSearch Result() const { return {current_.z, -current_.f, end_, iterations_, known_}; }

 private:
  void Stop(SearchEnd end) {
    running_ = false;
    end_ = end;
  }

  // How far the next trial may lie from the current iterate.
  double Longest() const {
    if (options_.max_step_share <= 0) return options_.max_step;
    return std::max(options_.max_step,
                    options_.max_step_share * (current_.z - options_.centre).norm());
  }

  // −H g by the two-loop recursion; the plain gradient, at most one long, before any history.
  Eigen::VectorXd Direction() const {
    Eigen::VectorXd d = -current_.gradient;
    if (pairs_.empty()) return d / std::max(1.0, d.norm());
    std::vector<double> alpha(pairs_.size());
    for (size_t i = pairs_.size(); i-- > 0;) {
      alpha[i] = pairs_[i].inverse * pairs_[i].s.dot(d);
      d -= alpha[i] * pairs_[i].y;
    }
    d /= pairs_.back().inverse * pairs_.back().y.squaredNorm();
    for (size_t i = 0; i < pairs_.size(); ++i) {
      d += (alpha[i] - pairs_[i].inverse * pairs_[i].y.dot(d)) * pairs_[i].s;
    }
    return d;
  }

  void NewDirection() {
    if (current_.z.norm() > options_.max_norm) return Stop(SearchEnd::kUnbounded);
    if (iterations_ >= options_.max_iterations || evaluations_ >= options_.max_evaluations) {
      return Stop(SearchEnd::kIterationLimit);
    }
    if (options_.recognise) {
      known_ = options_.recognise(current_.z, -current_.f);
      if (known_ >= 0) return Stop(SearchEnd::kKnown);
    }
    ++iterations_;
    direction_ = Direction();
    slope_ = current_.gradient.dot(direction_);
    if (!(slope_ < 0) || !std::isfinite(slope_)) {
      if (pairs_.empty()) return Stop(SearchEnd::kConverged);  // the gradient is zero
      pairs_.clear();
      return NewDirection();
    }
    const double tolerance = std::max(options_.tolerance, 1e-13 * std::abs(current_.f));
    small_steps_ = !pairs_.empty() && -slope_ / 2 < tolerance ? small_steps_ + 1 : 0;
    if (small_steps_ >= 2) return Stop(SearchEnd::kConverged);
    low_ = Point();
    low_step_ = 0;
    high_step_ = kInfinity;
    trials_ = 0;
    longest_ = Longest() / direction_.norm();
    SetTrial(std::min(1.0, longest_));
  }

  void SetTrial(double step) {
    step_ = step;
    trial_.z = current_.z + step * direction_;
  }

  // Narrows the bracket [low, high] of steps, or accepts the trial.
  void Search() {
    ++trials_;
    if (!(trial_.f <= current_.f + kArmijo * step_ * slope_)) {
      high_step_ = step_;
    } else if (trial_.gradient.dot(direction_) < kWolfe * slope_ && step_ < longest_) {
      low_step_ = step_;
      low_ = trial_;
    } else {
      return Accept(trial_);
    }
    const bool bracketed = std::isfinite(high_step_);
    if (trials_ >= kMaxTrials || (bracketed && high_step_ - low_step_ <= 1e-14 * high_step_)) {
      if (low_step_ > 0) return Accept(low_);
      if (pairs_.empty()) return Stop(SearchEnd::kLineSearch);
      pairs_.clear();
      return NewDirection();
    }
    SetTrial(bracketed ? (low_step_ + high_step_) / 2 : std::min(2 * low_step_, longest_));
  }

  void Accept(const Point& next) {
    Pair pair{next.z - current_.z, next.gradient - current_.gradient, 0};
    const double curvature = pair.s.dot(pair.y);
    // Pairs without positive curvature would spoil the positive definite approximation.
    if (curvature > 1e-12 * pair.s.norm() * pair.y.norm() && curvature > 0) {
      pair.inverse = 1 / curvature;
      pairs_.push_back(std::move(pair));
      if (pairs_.size() > static_cast<size_t>(options_.history)) pairs_.pop_front();
    }
    current_ = next;
    NewDirection();
  }

  const LbfgsOptions& options_;
  bool running_ = true, started_ = false;
  SearchEnd end_ = SearchEnd::kIterationLimit;
  int iterations_ = 0, evaluations_ = 0, small_steps_ = 0, trials_ = 0;
  Point current_, trial_, low_;
  Eigen::VectorXd direction_;
  double slope_ = 0, step_ = 0, low_step_ = 0, high_step_ = 0;
  double longest_ = 0;  // step of the longest trial allowed along direction_
  int64_t known_ = -1;
  std::deque<Pair> pairs_;
};

}  // namespace

absl::StatusOr<std::vector<ModeSearch>> FindModes(Evaluator& evaluator,
                                                  const Eigen::Ref<const Eigen::MatrixXd>& starts,
                                                  const LbfgsOptions& options) {
  std::vector<Descent> descents;
  for (int64_t i = 0; i < starts.cols(); ++i) descents.emplace_back(starts.col(i), options);
  std::vector<Descent*> running;
  Eigen::MatrixXd z;
  Evaluation evaluation;
  while (true) {
    running.clear();
    for (Descent& descent : descents) {
      if (descent.running()) running.push_back(&descent);
    }
    if (running.empty()) break;
    z.resize(starts.rows(), static_cast<int64_t>(running.size()));
    for (size_t i = 0; i < running.size(); ++i) {
      z.col(static_cast<int64_t>(i)) = running[i]->Trial();
    }
    if (absl::Status status = evaluator.Evaluate(z, &evaluation); !status.ok()) return status;
    evaluator.pool().ParallelFor(static_cast<int64_t>(running.size()), [&](int64_t i, int) {
      running[static_cast<size_t>(i)]->Observe(evaluation.log_density[i], evaluation.score.col(i));
    });
  }
  std::vector<ModeSearch> results;
  for (const Descent& descent : descents) results.push_back(descent.Result());
  return results;
}

}  // namespace aisivi
