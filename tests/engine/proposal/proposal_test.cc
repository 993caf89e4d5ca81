#include "engine/proposal/proposal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/engine/nn/testing.h"
#include "tests/engine/proposal/testing.h"

namespace aisivi {
namespace {

using test::Get;
using test::Normals;
using test::Put;
using test::Random;

enum class Base { kLinearWithSlope, kLinear, kNormal, kSigmoid };

struct Case {
  Base base;
  int64_t latent, couplings;
  CouplingKind coupling = CouplingKind::kAffine;

  std::string Name() const {
    return absl::StrCat("base ", static_cast<int>(base), " E ", latent, " ", EntryOf(coupling).name,
                        " couplings ", couplings);
  }
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const Base base : {Base::kLinearWithSlope, Base::kLinear, Base::kNormal, Base::kSigmoid}) {
    for (const int64_t latent : {1, 2, 5}) {
      cases.push_back({base, latent, 0});
      for (size_t kind = 0; kind < CouplingRegistry().size(); ++kind) {
        for (const int64_t couplings : {1, kind == 0 ? 5 : 3}) {
          cases.push_back({base, latent, couplings, static_cast<CouplingKind>(kind)});
        }
      }
    }
  }
  return cases;
}

ProposalConfig Config(const Case& c) {
  ProposalConfig config;
  config.latent_dim = c.latent;
  config.dim = c.base == Base::kLinearWithSlope ? c.latent : 3;
  config.linear_base = c.base == Base::kLinearWithSlope || c.base == Base::kLinear;
  config.slope = c.base == Base::kLinearWithSlope ? 0.8f : 0.0f;
  config.sigma_scale = 0.6f;
  config.sigmoid = c.base == Base::kSigmoid;
  config.coupling = c.coupling;
  config.couplings = c.couplings;
  config.coupling_hidden = 6;
  config.base_hidden = 5;
  return config;
}

Proposal RandomProposal(const Case& c, double scale, Random& random) {
  Proposal proposal(Config(c));
  proposal.Initialize(3);
  test::Perturb(scale, random, &proposal.parameters());
  return proposal;
}

struct Drawn {
  Eigen::MatrixXd epsilon;
  std::vector<double> log_tau;
};

Drawn Sample(const Proposal& proposal, const Eigen::MatrixXf& x, int64_t first_point,
             int64_t points, int64_t width, Random& random) {
  ThreadPool pool(2);
  ProposalContext context;
  proposal.MakeContext(x, pool, &context);
  Scratch scratch;
  const int64_t n = points * width, latent = proposal.config().latent_dim;
  TileMap noise = Put(Normals(latent, n, 1, random), scratch);
  TileMap epsilon = TakeTile(scratch, latent, n);
  std::vector<double> log_tau(n);
  proposal.Sample(context, first_point, width, noise, scratch, epsilon, log_tau.data());
  return {Get(epsilon), log_tau};
}

std::vector<double> LogDensity(const Proposal& proposal, const Eigen::MatrixXd& epsilon,
                               const Eigen::MatrixXd& x) {
  Scratch scratch;
  std::vector<double> log_tau(epsilon.cols());
  const TileMap e = Put(epsilon, scratch), points = Put(x, scratch);
  proposal.LogDensity(Const(e), Const(points), scratch, log_tau.data());
  return log_tau;
}

TEST(ProposalTest, SampleAndLogDensityAgree) {
  Random random(1);
  for (const Case& c : Cases()) {
    const Proposal proposal = RandomProposal(c, 0.2, random);
    const Eigen::MatrixXf x = Normals(proposal.config().dim, 7, 1, random).cast<float>();
    for (const int64_t width : {1, 10, 33}) {
      const int64_t first = 2, points = 4;
      const Drawn drawn = Sample(proposal, x, first, points, width, random);
      Eigen::MatrixXd spread(x.rows(), points * width);
      for (int64_t i = 0; i < spread.cols(); ++i) {
        spread.col(i) = x.col(first + i / width).cast<double>();
      }
      const std::vector<double> log_tau = LogDensity(proposal, drawn.epsilon, spread);
      for (int64_t i = 0; i < spread.cols(); ++i) {
        // Close to 0 or 1 a single precision ε no longer tells where it came from.
        if (c.base == Base::kSigmoid && (drawn.epsilon.col(i).minCoeff() < 1e-3 ||
                                         drawn.epsilon.col(i).maxCoeff() > 1 - 1e-3)) {
          continue;
        }
        EXPECT_NEAR(drawn.log_tau[i], log_tau[i], 2e-3 * (1 + std::abs(log_tau[i]))) << c.Name();
      }
    }
  }
}

// The start of DESIGN.md §2: N(a x, σ₀² I), whatever the couplings.
TEST(ProposalTest, TheLinearBaseStartsAtTheReverseConditional) {
  Random random(2);
  for (const int64_t latent : {1, 2, 5, 22}) {
    for (const auto& [couplings, kind] : {std::pair{0, CouplingKind::kAffine},
                                          {1, CouplingKind::kAffine},
                                          {5, CouplingKind::kAffine},
                                          {1, CouplingKind::kSpline},
                                          {5, CouplingKind::kSpline}}) {
      Proposal proposal(Config({Base::kLinearWithSlope, latent, couplings, kind}));
      proposal.Initialize(9);
      const Eigen::MatrixXd epsilon = test::Rounded(Normals(latent, 20, 1, random));
      const Eigen::MatrixXd x = test::Rounded(Normals(latent, 20, 1, random));
      const std::vector<double> log_tau = LogDensity(proposal, epsilon, x);
      for (int64_t i = 0; i < 20; ++i) {
        const double square = ((epsilon.col(i) - 0.8 * x.col(i)) / 0.6).squaredNorm();
        const double expected = -0.5 * square - static_cast<double>(latent) *
                                                    (0.5 * std::log(2 * M_PI) + std::log(0.6));
        EXPECT_NEAR(log_tau[i], expected, 1e-5 * (10 + square));
      }
    }
  }
}

double Loss(const Proposal& proposal, const Eigen::MatrixXd& epsilon, const Eigen::MatrixXd& x) {
  double loss = 0;
  for (const double v : LogDensity(proposal, epsilon, x)) loss -= v;
  return loss;
}

TEST(ProposalTest, LossAndGradientAreThoseOfTheDensity) {
  constexpr float kStep = 1e-3f;
  constexpr float kWeight = 0.7f;
  Random random(3);
  for (const Case& c : Cases()) {
    Proposal proposal = RandomProposal(c, 0.2, random);
    for (const int64_t n : {1, 23}) {
      Eigen::MatrixXd epsilon = test::Rounded(Normals(c.latent, n, 1, random));
      if (c.base == Base::kSigmoid) epsilon = (1 / (1 + (-epsilon.array()).exp())).matrix();
      const Eigen::MatrixXd x = test::Rounded(Normals(proposal.config().dim, n, 1, random));
      Scratch scratch;
      const TileMap e = Put(epsilon, scratch), points = Put(x, scratch);
      Eigen::VectorXf gradient = Eigen::VectorXf::Ones(proposal.parameters().size());
      const double loss =
          proposal.LossAndGradient(Const(e), Const(points), kWeight, scratch, &gradient);
      EXPECT_NEAR(loss, Loss(proposal, epsilon, x), 1e-4 * (1 + std::abs(loss))) << c.Name();
      const test::GradientCheck check = test::CheckGradient(
          [&] { return Loss(proposal, epsilon, x); }, kStep,
          (gradient.array() - 1).matrix().cast<double>() / static_cast<double>(kWeight),
          proposal.parameters());
      EXPECT_LT(check.error, 0.01) << c.Name() << " n " << n;
      EXPECT_GT(check.smooth, 0.7) << c.Name() << " n " << n;
      if (gradient.size() > 0) {
        EXPECT_GT((gradient.array() - 1).abs().maxCoeff(), 1e-3f);
      }
    }
  }
}

// Cells of a grid over the latent space; for the sigmoid over the unit cube.
TEST(ProposalTest, DensitiesIntegrateToOne) {
  Random random(4);
  for (const Case& c : Cases()) {
    if (c.latent > 2) continue;
    const Proposal proposal = RandomProposal(c, 0.15, random);
    const double low = c.base == Base::kSigmoid ? 0 : -9, high = c.base == Base::kSigmoid ? 1 : 9;
    const int64_t cells = c.latent == 1 ? 4000 : 350;
    const double step = (high - low) / static_cast<double>(cells);
    const Eigen::MatrixXd x = test::Rounded(Normals(proposal.config().dim, 1, 1, random));
    double total = 0;
    const int64_t rows = c.latent == 1 ? 1 : cells;
    Eigen::MatrixXd epsilon(c.latent, cells);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = 0; i < cells; ++i) {
        epsilon(0, i) = low + step * (static_cast<double>(i) + 0.5);
        if (c.latent == 2) epsilon(1, i) = low + step * (static_cast<double>(row) + 0.5);
      }
      for (const float v : LogDensity(proposal, epsilon, x.replicate(1, cells))) {
        total += std::exp(static_cast<double>(v));
      }
    }
    total *= std::pow(step, static_cast<double>(c.latent));
    EXPECT_NEAR(total, 1, 5e-3) << c.Name();
  }
}

TEST(ProposalTest, UniformLatentsStayInTheUnitCube) {
  Random random(5);
  const Proposal proposal = RandomProposal({Base::kSigmoid, 5, 5}, 0.1, random);
  const Eigen::MatrixXf x = Normals(3, 7, 3, random).cast<float>();
  const Drawn drawn = Sample(proposal, x, 0, 7, 64, random);
  EXPECT_GE(drawn.epsilon.minCoeff(), 0);
  EXPECT_LE(drawn.epsilon.maxCoeff(), 1);
  // The very edge has a finite density too.
  const std::vector<double> log_tau =
      LogDensity(proposal, (Eigen::MatrixXd(5, 2) << 0, 1, 1, 0, 0.5, 1, 0, 0, 1, 1).finished(),
                 Eigen::MatrixXd::Zero(3, 2));
  for (const double v : log_tau) EXPECT_TRUE(std::isfinite(v)) << v;
}

TEST(ProposalTest, NormalisationFromAFirstBatchHelps) {
  Random random(6);
  Proposal proposal(Config({Base::kNormal, 5, 4}));
  proposal.Initialize(3);
  Eigen::MatrixXd epsilon = Normals(5, 400, 0.05, random);
  epsilon.colwise() += Eigen::VectorXd::LinSpaced(5, -3, 3);
  const Eigen::MatrixXd x = Normals(3, 400, 1, random);
  Scratch scratch;
  const TileMap e = Put(epsilon, scratch), points = Put(x, scratch);
  const double before = Loss(proposal, epsilon, x);
  proposal.InitializeNormalisation(Const(e), Const(points));
  const double after = Loss(proposal, epsilon, x);
  // Within a nat per coordinate of the entropy of the batch: 5 · log(0.05 √(2πe)).
  const double entropy = 400 * 5 * (std::log(0.05) + 0.5 * std::log(2 * M_PI * M_E));
  EXPECT_LT(after, before);
  EXPECT_LT(after, entropy + 400 * 5);
}

// Couplings with a scale of log 2 each, which the normalisation undoes: ε is the noise itself, or
// its sigmoid, and τ does not depend on x.
TEST(ProposalTest, NormalisedForwardItStartsAsItsBase) {
  Random random(7);
  for (const Base base : {Base::kNormal, Base::kSigmoid}) {
    for (const int64_t latent : {1, 2, 5}) {
      for (const int64_t couplings : {1, 6, 32}) {
        Proposal proposal(Config({base, latent, couplings}));
        proposal.Initialize(4);
        proposal.NormaliseForward();
        const Eigen::MatrixXf x = Normals(3, 4, 2, random).cast<float>();
        Random copy = random;
        const Eigen::ArrayXXd u = test::Rounded(Normals(latent, 40, 1, copy));
        const Drawn drawn = Sample(proposal, x, 0, 4, 10, random);
        const Eigen::ArrayXXd sigmoid = 1 / (1 + (-u).exp());
        Eigen::ArrayXd log_tau =
            (-0.5 * u.square() - 0.5 * std::log(2 * M_PI)).colwise().sum().transpose();
        if (base == Base::kSigmoid) {
          log_tau -= (sigmoid * (1 - sigmoid)).log().colwise().sum().transpose();
        }
        for (int64_t i = 0; i < 40; ++i) {
          for (int64_t r = 0; r < latent; ++r) {
            EXPECT_NEAR(drawn.epsilon(proposal.NaturalRow(r), i),
                        base == Base::kSigmoid ? sigmoid(r, i) : u(r, i), 1e-5);
          }
          EXPECT_NEAR(drawn.log_tau[static_cast<size_t>(i)], log_tau[i], 1e-4);
        }
      }
    }
  }
}

TEST(ProposalTest, ASeedIsAStart) {
  for (const CouplingKind kind : {CouplingKind::kAffine, CouplingKind::kSpline}) {
    Proposal a(Config({Base::kLinear, 5, 3, kind})), b(Config({Base::kLinear, 5, 3, kind}));
    a.Initialize(1);
    b.Initialize(1);
    EXPECT_EQ(a.parameters(), b.parameters());
    b.Initialize(2);
    EXPECT_NE(a.parameters(), b.parameters());
  }
}

TEST(ProposalTest, ParametersAreCountedWithoutMakingThem) {
  for (const Case& c : Cases()) {
    EXPECT_EQ(Proposal::ParameterCount(Config(c)), Proposal(Config(c)).parameters().size())
        << c.Name();
  }
}

TEST(ProposalTest, TellsWhatAPassNeedsToKnow) {
  for (const Case& c : Cases()) {
    const Proposal proposal(Config(c));
    const bool linear = c.base == Base::kLinearWithSlope || c.base == Base::kLinear;
    EXPECT_EQ(proposal.StartsInPlace(), linear);
    EXPECT_EQ(proposal.ControlCoefficient().has_value(), c.base == Base::kLinearWithSlope);
    if (c.base == Base::kLinearWithSlope) {
      EXPECT_NEAR(*proposal.ControlCoefficient(), 0.8 / 0.6, 1e-6);
    }
  }
}

// A copy is a proposal of its own.
TEST(ProposalTest, CopiesDoNotShareParameters) {
  Random random(8);
  const Proposal original =
      RandomProposal({Base::kLinear, 3, 2, CouplingKind::kSpline}, 0.2, random);
  Proposal copy = original;
  const Eigen::MatrixXd epsilon = Normals(3, 5, 1, random), x = Normals(3, 5, 1, random);
  EXPECT_EQ(LogDensity(copy, epsilon, x), LogDensity(original, epsilon, x));
  const std::vector<double> before = LogDensity(original, epsilon, x);
  copy.parameters().setZero();
  EXPECT_EQ(LogDensity(original, epsilon, x), before);
  EXPECT_NE(LogDensity(copy, epsilon, x), before);
}

}  // namespace
}  // namespace aisivi
