#include "engine/methods/point_gradients.h"

#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

// A residual longer than this many times √D, or than that many times the typical one, is shortened:
// one wild point must not undo a fit.
constexpr double kLongest = 30.0;
constexpr double kLongestTypical = 20.0;
constexpr double kStepShare = 0.01;  // weight of a step in what is typical

// residual ← Aᵀ (a − b), A of each point's component.
void WhitenDifference(const ModelState& model, const Eigen::MatrixXd& a, const Eigen::MatrixXd& b,
                      PointGradients::Work* work) {
  work->difference = a - b;
  work->residual.resize(a.rows(), a.cols());
  const int64_t components = static_cast<int64_t>(model.components.size());
  const int64_t each = a.cols() / components;
  for (int64_t c = 0; c < components; ++c) {
    work->residual.middleCols(c * each, each).noalias() =
        model.components[c].affine.scale.triangularView<Eigen::Lower>().transpose() *
        work->difference.middleCols(c * each, each);
  }
}

// Means and medians over the finite points; the others' residuals become zero.
void Summarise(const MarginalEstimate& marginal, const Eigen::VectorXd& log_p,
               PointGradients* gradients) {
  double loss = 0, residual = 0, ess = 0;
  std::vector<double>& squares = gradients->work.squares;
  squares.clear();
  for (int64_t j = 0; j < log_p.size(); ++j) {
    const double loss_here = marginal.log_q[j] - log_p[j];
    const double square = gradients->work.residual.col(j).squaredNorm();
    if (!std::isfinite(square) || !std::isfinite(loss_here)) {
      gradients->work.residual.col(j).setZero();
      continue;
    }
    squares.push_back(square);
    loss += loss_here;
    residual += square;
    ess += marginal.ess[j];
  }
  gradients->finite = static_cast<int64_t>(squares.size());
  const double count = static_cast<double>(std::max<int64_t>(gradients->finite, 1));
  gradients->loss = loss / count;
  gradients->score_residual = residual / count;
  gradients->ess = ess / count;
  gradients->median_residual = Median(&squares);
}

}  // namespace

double Median(std::vector<double>* values) {
  if (values->empty()) return 0;
  const auto middle = values->begin() + static_cast<int64_t>(values->size() / 2);
  std::nth_element(values->begin(), middle, values->end());
  return *middle;
}

double LongestInProportion(double median_length, TypicalLength* typical) {
  typical->value += (typical->steps++ == 0 ? 1.0 : kStepShare) * (median_length - typical->value);
  return kLongestTypical * std::max(typical->value, median_length);
}

void MakePointGradients(const ModelState& model, const MarginalEstimate& marginal,
                        const Eigen::VectorXd& log_p, const Eigen::MatrixXd& score_p,
                        TypicalLength* typical, PointGradients* gradients) {
  const Eigen::MatrixXd& residual = gradients->work.residual;
  WhitenDifference(model, marginal.score, score_p, &gradients->work);
  Summarise(marginal, log_p, gradients);
  const double longest =
      std::min(kLongest * std::sqrt(static_cast<double>(residual.rows())),
               LongestInProportion(std::sqrt(gradients->median_residual), typical));
  const int64_t each = residual.cols() / static_cast<int64_t>(model.components.size());
  gradients->grad_x.resize(residual.rows(), residual.cols());
  for (int64_t j = 0; j < residual.cols(); ++j) {
    const double own = residual.col(j).norm();
    gradients->grad_x.col(j) =
        (residual.col(j) * (own > longest ? longest / own : 1.0)).cast<float>() /
        static_cast<float>(each);
  }
}

double ScoreNoise(const ModelState& model, const Eigen::MatrixXd& score,
                  const Eigen::MatrixXd& second_score, PointGradients* gradients) {
  WhitenDifference(model, score, second_score, &gradients->work);
  std::vector<double>& squares = gradients->work.squares;
  squares.clear();
  for (int64_t j = 0; j < score.cols(); ++j) {
    const double square = gradients->work.residual.col(j).squaredNorm();
    if (std::isfinite(square)) squares.push_back(square);
  }
  // Half, because the difference carries the noise of both sets.
  return 0.5 * Median(&squares);
}

}  // namespace aisivi
