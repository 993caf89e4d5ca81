// The gradient of the loss at the points of a step: the score residual s_q − s_p in the whitened
// coordinates of each point's component, Aᵀ (s_q − s_p), shortened where it is out of proportion.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "engine/methods/marginal.h"
#include "engine/model/model_state.h"

namespace aisivi {

// Kept from step to step, so that a step allocates nothing.
struct PointGradients {
  Eigen::MatrixXf grad_x;  // D×m; zero at points that are not finite

  // Over the finite points.
  int64_t finite = 0;          // their number
  double loss = 0;             // mean of log q̂ − log p̃, nats
  double ess = 0;              // mean effective share of the inner samples
  double score_residual = 0;   // mean of ‖Aᵀ (s_q − s_p)‖²
  double median_residual = 0;  // its median

  struct Work {
    Eigen::MatrixXd difference, residual;  // D×m
    std::vector<double> squares;
  } work;
};

// The running median of ‖Aᵀ (s_q − s_p)‖, against which a residual is out of proportion.
struct TypicalLength {
  double value = 0;
  int64_t steps = 0;
};

// The middle one of finite values in any order; 0 without values. Reorders them.
double Median(std::vector<double>* values);

// Takes the median length of a step's gradients into what is typical. Returns the longest that is
// in proportion: 20 times the typical length or, where that is more, the median.
double LongestInProportion(double median_length, TypicalLength* typical);

// From log q̂ and s_q of `marginal` and log p̃ and s_p at m points, component after component, as
// many of each. A residual is shortened to 30 √D or to 20 times the typical length.
void MakePointGradients(const ModelState& model, const MarginalEstimate& marginal,
                        const Eigen::VectorXd& log_p, const Eigen::MatrixXd& score_p,
                        TypicalLength* typical, PointGradients* gradients);

// The median of ‖Aᵀ (s_q − E s_q)‖² over the points, from two estimates of s_q by inner samples of
// their own. Uses gradients->work alone.
double ScoreNoise(const ModelState& model, const Eigen::MatrixXd& score,
                  const Eigen::MatrixXd& second_score, PointGradients* gradients);

}  // namespace aisivi
