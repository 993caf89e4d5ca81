// How far repeated estimates of the score of a fitted q are from it.
//
// With s the truth at points z_1 … z_N, ŝ_r the estimate of repetition r = 1 … R, s̄ their mean, and
// |·| the norm with coordinate d in units of 1/sd_d, so that no coordinate counts by its scale, all
// in units of S = mean_n |s(z_n)|²:
//   variance = mean_n Σ_r |ŝ_r − s̄|² / (R − 1)
//   bias²    = mean_n |s̄ − s|² − floor,   floor = variance / R + the truth's own error
//   mse      = variance + bias²
// The floor is what mean_n |s̄ − s|² is without any bias: bias² is unbiased, and may be negative.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace aisivi::experiments {

// A mean square error, in units of S, that rounding alone can make: such an estimate is exact.
inline constexpr double kRounding = 1e-9;

struct ScoreTruth {
  Eigen::MatrixXd score;  // D×N, the mean of several long runs
  Eigen::VectorXd sd;     // D, of q
  double square = 0;      // S
  double error = 0;       // mean square of the error of `score`, in units of S
};

struct ScoreErrors {
  double variance, bias_square, floor;
  double Mse() const { return variance + bias_square; }
  // Whether there is a bias beyond doubt: as large again as all noise in it.
  bool BiasShows() const { return bias_square > floor; }
};

// Of at least two long runs, each D×N; one run leaves the error at 0.
ScoreTruth TruthOf(const std::vector<Eigen::MatrixXd>& long_runs, const Eigen::VectorXd& sd);

// Estimates: at least two, each D×N; variance and bias are NaN with fewer.
ScoreErrors CompareScores(const std::vector<Eigen::MatrixXd>& estimates, const ScoreTruth& truth);

}  // namespace aisivi::experiments
