#include "client/experiments/score_errors.h"

#include <limits>

namespace aisivi::experiments {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Eigen::MatrixXd MeanOf(const std::vector<Eigen::MatrixXd>& matrices) {
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(matrices[0].rows(), matrices[0].cols());
  for (const Eigen::MatrixXd& matrix : matrices) sum += matrix;
  return sum / static_cast<double>(matrices.size());
}

// mean_n |a_n|².
double MeanSquare(const Eigen::MatrixXd& a, const Eigen::VectorXd& sd) {
  return (sd.asDiagonal() * a).colwise().squaredNorm().mean();
}

// The variance of one of them, as above but for the units; NaN of a single one.
double VarianceOf(const std::vector<Eigen::MatrixXd>& matrices, const Eigen::MatrixXd& mean,
                  const Eigen::VectorXd& sd) {
  if (matrices.size() < 2) return kNaN;
  double sum = 0;
  for (const Eigen::MatrixXd& matrix : matrices) sum += MeanSquare(matrix - mean, sd);
  return sum / static_cast<double>(matrices.size() - 1);
}

}  // namespace

ScoreTruth TruthOf(const std::vector<Eigen::MatrixXd>& long_runs, const Eigen::VectorXd& sd) {
  ScoreTruth truth{MeanOf(long_runs), sd, 0, 0};
  truth.square = MeanSquare(truth.score, sd);
  if (long_runs.size() < 2) return truth;
  truth.error =
      VarianceOf(long_runs, truth.score, sd) / static_cast<double>(long_runs.size()) / truth.square;
  return truth;
}

ScoreErrors CompareScores(const std::vector<Eigen::MatrixXd>& estimates, const ScoreTruth& truth) {
  if (estimates.size() < 2) return {kNaN, kNaN, kNaN};
  const Eigen::MatrixXd mean = MeanOf(estimates);
  ScoreErrors errors;
  errors.variance = VarianceOf(estimates, mean, truth.sd) / truth.square;
  errors.floor = errors.variance / static_cast<double>(estimates.size()) + truth.error;
  errors.bias_square = MeanSquare(mean - truth.score, truth.sd) / truth.square - errors.floor;
  return errors;
}

}  // namespace aisivi::experiments
