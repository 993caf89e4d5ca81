// Calibrates the rule that lets weights pass whose tail looks heavy (k̂ > 0.7) where what the tail
// still holds is little of Ẑ (JudgeTail). Weights of known mean come from several families; of the
// sets that pass, few may have a wrong log Ẑ.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "engine/evidence/pareto.h"
#include "engine/evidence/verdict.h"

namespace aisivi {
namespace {

// log w of one draw of q, with E[w] = 1.
using WeightSource = std::function<double(std::mt19937_64&)>;

double Normal(std::mt19937_64& random) { return std::normal_distribution<double>()(random); }

double LogAdd(double a, double b) {
  const double top = std::max(a, b);
  return top + std::log(std::exp(a - top) + std::exp(b - top));
}

// q is N(0, I) in all of these; w = 1 − share + share · (what is said).
std::vector<WeightSource> Families() {
  std::vector<WeightSource> families;
  // A generalised Pareto tail of shape k over a constant.
  for (const double k : {0.3, 0.5, 0.7, 0.8, 0.9}) {
    for (const double c : {0.003, 0.03, 0.3}) {
      families.push_back([=](std::mt19937_64& random) {
        const double u = std::uniform_real_distribution<double>(1e-300, 1)(random);
        return std::log((1 + c * std::expm1(-k * std::log(u)) / k) / (1 + c / (1 - k)));
      });
    }
  }
  // A wider Gaussian of standard deviation s that has a share of the mass.
  for (const double share : {1e-3, 1e-2, 0.1}) {
    for (const double s : {1.5, 3.0}) {
      for (const int dim : {1, 5}) {
        families.push_back([=](std::mt19937_64& random) {
          double square = 0;
          for (int d = 0; d < dim; ++d) square += std::pow(Normal(random), 2);
          return LogAdd(std::log1p(-share),
                        std::log(share) - dim * std::log(s) + 0.5 * square * (1 - 1 / (s * s)));
        });
      }
    }
  }
  // Student's t as the posterior of a Gaussian of variance 1.2.
  for (const double nu : {1.0, 2.0, 5.0, 20.0}) {
    families.push_back([=](std::mt19937_64& random) {
      const double x = std::sqrt(1.2) * Normal(random);
      return std::lgamma((nu + 1) / 2) - std::lgamma(nu / 2) - 0.5 * std::log(nu * M_PI) -
             (nu + 1) / 2 * std::log1p(x * x / nu) + 0.5 * x * x / 1.2 +
             0.5 * std::log(2 * M_PI * 1.2);
    });
  }
  // Another mode of the same shape, d standard deviations away.
  for (const double share : {0.01, 0.05, 0.1}) {
    for (const double d : {3.0, 4.0, 5.0, 6.0}) {
      families.push_back([=](std::mt19937_64& random) {
        return LogAdd(std::log1p(-share), std::log(share) + d * Normal(random) - 0.5 * d * d);
      });
    }
  }
  return families;
}

EvidenceEstimate Estimate(const Eigen::VectorXd& log_weights) {
  const Eigen::ArrayXd w = log_weights.array().exp();
  EvidenceEstimate e;
  e.draws = w.size();
  e.pareto_k = SmoothWeights(log_weights).k;
  e.ess = w.sum() * w.sum() / w.square().sum();
  e.largest_weight = w.maxCoeff() / w.mean();
  e.log_z = std::log(w.mean());
  return e;
}

TEST(TailRuleTest, WhatPassesWithAHeavyTailIsSeldomWrong) {
  const std::vector<WeightSource> families = Families();
  int passed = 0, wrong = 0, very_wrong = 0, held_back = 0;
  for (size_t f = 0; f < families.size(); ++f) {
    for (const int draws : {1024, 8192}) {
      std::mt19937_64 random(1000 * f + static_cast<size_t>(draws));
      for (int repeat = 0; repeat < 40; ++repeat) {
        Eigen::VectorXd log_weights(draws);
        for (double& value : log_weights) value = families[f](random);
        const EvidenceEstimate e = Estimate(log_weights);
        if (e.pareto_k <= 0.7) continue;
        if (JudgeTail(e) != Verdict::kGood) {
          ++held_back;
          continue;
        }
        ++passed;
        wrong += std::abs(e.log_z) > 0.05;
        very_wrong += std::abs(e.log_z) > 0.1;
      }
    }
  }
  EXPECT_GT(passed, 400);     // the rule is of use …
  EXPECT_GT(held_back, 400);  // … and rules
  EXPECT_LE(wrong, 0.05 * passed);
  EXPECT_LE(very_wrong, 0.01 * passed);
}

}  // namespace
}  // namespace aisivi
