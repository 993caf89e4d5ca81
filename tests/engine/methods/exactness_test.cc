// The start of DESIGN.md §2: on the linear-Gaussian family with its exact reverse conditional as
// proposal every weight is q(x) = N(x; 0, I), whatever was drawn.
//
// Family q(x|ε) = N(a ε, σ₀² I), a² = 1 − σ₀²; proposal τ(ε|x) = N(a x, s² I).
#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "tests/engine/methods/testing.h"

namespace aisivi {
namespace {

using test::MakeProblem;
using test::Normals;
using test::Problem;
using test::ProblemShape;
using test::Random;
using test::RunPass;

constexpr float kSigma = 0.3f;

ProblemShape Linear(int64_t dim, float proposal_sigma, bool network,
                    CouplingKind coupling = CouplingKind::kAffine) {
  return {.dim = dim,
          .latent = dim,
          .sigma_network = network,
          .couplings = 4,
          .wildness = 0,
          .sigma = kSigma,
          .proposal_sigma = proposal_sigma,
          .coupling = coupling};
}

std::vector<std::pair<bool, CouplingKind>> Starts() {
  return {{false, CouplingKind::kAffine},
          {true, CouplingKind::kAffine},
          {false, CouplingKind::kSpline}};
}

TEST(ExactnessTest, WeightsAreEqualAndTheDensityExactForEveryK) {
  Random random(1);
  for (const auto& [network, coupling] : Starts()) {
    for (const int64_t dim : {1, 2, 5, 22, 1000}) {
      if (coupling == CouplingKind::kSpline && dim > 100) continue;  // 10⁸ parameters
      const Problem problem = MakeProblem(Linear(dim, kSigma, network, coupling), random);
      const Eigen::MatrixXf x = Normals(dim, 13, 1.5, random).cast<float>();
      for (const int64_t k : {1, 7, 300}) {
        const InnerEstimate estimate = RunPass(
            ProposalPass,
            {.family = &problem.family, .proposal = &problem.proposal, .x = &x, .samples = k});
        for (int64_t j = 0; j < x.cols(); ++j) {
          const double square = x.col(j).cast<double>().squaredNorm();
          const double log_q = -0.5 * square - 0.5 * test::kLogTwoPi * static_cast<double>(dim);
          EXPECT_NEAR(estimate.log_density[j], log_q, 1e-6 * (10 + std::abs(log_q)));
          EXPECT_NEAR(estimate.ess[j], 1, 1e-6);
        }
      }
    }
  }
}

// The control variate takes away what the inner samples would add to −x.
TEST(ExactnessTest, TheScoreIsExactForEveryK) {
  Random random(2);
  for (const auto& [network, coupling] : Starts()) {
    for (const int64_t dim : {1, 2, 5, 22}) {
      const Problem problem = MakeProblem(Linear(dim, kSigma, network, coupling), random);
      const Eigen::MatrixXf x = Normals(dim, 60, 1.5, random).cast<float>();
      for (const int64_t k : {1, 7, 300}) {
        const InnerEstimate estimate = RunPass(
            ProposalPass,
            {.family = &problem.family, .proposal = &problem.proposal, .x = &x, .samples = k});
        EXPECT_LT((estimate.score + x.cast<double>()).cwiseAbs().maxCoeff(), 5e-4)
            << "D " << dim << " K " << k;
      }
    }
  }
}

double ScoreError(const Problem& problem, const Eigen::MatrixXf& x, test::PassFunction pass,
                  int64_t k, double* density_error) {
  const InnerEstimate estimate = RunPass(
      pass, {.family = &problem.family, .proposal = &problem.proposal, .x = &x, .samples = k});
  const Eigen::VectorXd log_q = (-0.5 * x.cast<double>().colwise().squaredNorm().array() -
                                 0.5 * test::kLogTwoPi * static_cast<double>(x.rows()))
                                    .matrix()
                                    .transpose();
  *density_error = (estimate.log_density - log_q).cwiseAbs().maxCoeff();
  return (estimate.score + x.cast<double>()).norm() / std::sqrt(static_cast<double>(x.size()));
}

// A proposal too wide (σ) and one too narrow: biased at finite K, exact in the limit.
TEST(ExactnessTest, TheWeightedEstimatorConvergesToTheScore) {
  Random random(3);
  for (const float proposal_sigma : {0.45f, 0.25f}) {
    for (const int64_t dim : {1, 2, 5}) {
      const Problem problem = MakeProblem(Linear(dim, proposal_sigma, false), random);
      const Eigen::MatrixXf x = Normals(dim, 40, 1, random).cast<float>();
      double density_error = 0, last = INFINITY;
      for (const int64_t k : {64, 1024, 16384}) {
        const double error = ScoreError(problem, x, ProposalPass, k, &density_error);
        EXPECT_LT(error, 0.5 * last) << "D " << dim << " K " << k;
        last = error;
      }
      EXPECT_LT(last, 0.08);
      EXPECT_LT(density_error, 0.06);
    }
  }
}

TEST(ExactnessTest, ThePriorEstimatorConvergesToTheScore) {
  Random random(4);
  for (const bool network : {false, true}) {
    for (const int64_t dim : {1, 2}) {
      const Problem problem = MakeProblem(Linear(dim, kSigma, network), random);
      const Eigen::MatrixXf x = Normals(dim, 40, 0.7, random).cast<float>();
      double density_error = 0, last = INFINITY;
      for (const int64_t k : {256, 4096, 65536}) {
        const double error = ScoreError(problem, x, PriorPass, k, &density_error);
        EXPECT_LT(error, 0.6 * last) << "D " << dim << " K " << k;
        last = error;
      }
      EXPECT_LT(last, 0.12);
      EXPECT_LT(density_error, 0.12);
    }
  }
}

// E_τ[(p q / τ)²] in closed form: with variances v₀ = σ₀², v = s², the ESS fraction of one
// dimension is σ₀ √(2 s² − σ₀²) / s².
TEST(ExactnessTest, TheEffectiveShareIsTheClosedForm) {
  Random random(5);
  constexpr float kWide = 0.45f;
  for (const int64_t dim : {1, 2, 5}) {
    const Problem problem = MakeProblem(Linear(dim, kWide, false), random);
    const Eigen::MatrixXf x = Normals(dim, 20, 1, random).cast<float>();
    const InnerEstimate estimate = RunPass(
        ProposalPass,
        {.family = &problem.family, .proposal = &problem.proposal, .x = &x, .samples = 20000});
    const double one = kSigma * std::sqrt(2 * kWide * kWide - kSigma * kSigma) / (kWide * kWide);
    const double expected = std::pow(one, static_cast<double>(dim));
    EXPECT_NEAR(estimate.ess.mean(), expected, 0.01);
  }
}

}  // namespace
}  // namespace aisivi
