// Whole training steps against the authors' algorithm (arXiv 2506.03839, as PRESETS describe it),
// written down plainly in double precision: no tiles, no rewrites, gradients by finite differences.
// Only the random numbers and the target are shared.
//
//   flow step:   θ ← Adam of −(1/m) Σ_j log τ_θ(ε_j|h_φ(ε_j, η'_j)), the ε of the step's points
//   with
//                another η
//   score:       s_q(x) = Σ_i w̄_i ∇_x log q(x|ε_i), w_i ∝ q(x|ε_i) / τ_θ(ε_i|x), ε_i ~ τ_θ(·|x)
//                (BSIVI: w_i ∝ q(x|ε_i), ε_i uniform, and the points' own ε among them)
//   family step: φ ← Adam of (1/m) Σ_j (s_q(x_j) − ∇ log p̃(x_j))ᵀ h_φ(ε_j, η_j)
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "engine/fit/start.h"
#include "engine/fit/trainer.h"
#include "engine/methods/methods.h"
#include "engine/methods/tiling.h"
#include "tests/engine/family/testing.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

double Softplus(double v) { return std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v))); }

// The flow in double precision: couplings on u ∈ R^E, whose entries are the even coordinates of ε
// and then the odd ones, and a sigmoid.
class ReferenceFlow {
 public:
  explicit ReferenceFlow(const ProposalConfig& config)
      : config_(config), even_((config.latent_dim + 1) / 2), odd_(config.latent_dim / 2) {}

  // ε from base noise u, and log τ(ε|x).
  VectorXd Sample(const VectorXd& theta, const VectorXd& x, VectorXd u, double* log_tau) const {
    *log_tau = -0.5 * u.squaredNorm() - 0.5 * test::kLogTwoPi * static_cast<double>(u.size());
    int64_t at = 0;
    for (int64_t l = 0; l < config_.couplings; ++l) {
      const Layer layer = Read(theta, l, &at);
      const Net net = Conditioner(layer, x, u);
      for (int64_t c = 0; c < layer.changed; ++c) {
        u[layer.changed_first + c] = net.scale[c] * u[layer.changed_first + c] + net.shift[c];
        *log_tau -= std::log(net.scale[c]);
      }
      u = u.array() * layer.log_norm.array().exp() + layer.norm_shift.array();
      *log_tau -= layer.log_norm.sum();
    }
    VectorXd epsilon(u.size());
    for (int64_t r = 0; r < u.size(); ++r) {
      const double e = 1 / (1 + std::exp(-u[r]));
      epsilon[Natural(r)] = e;
      *log_tau -= std::log(e * (1 - e));
    }
    return epsilon;
  }

  double LogDensity(const VectorXd& theta, const VectorXd& epsilon, const VectorXd& x) const {
    double log_tau = 0;
    VectorXd u(epsilon.size());
    for (int64_t r = 0; r < u.size(); ++r) {
      const double e = epsilon[Natural(r)];
      u[r] = std::log(e / (1 - e));
      log_tau -= std::log(e * (1 - e));
    }
    std::vector<Layer> layers;
    int64_t at = 0;
    for (int64_t l = 0; l < config_.couplings; ++l) layers.push_back(Read(theta, l, &at));
    for (int64_t l = config_.couplings - 1; l >= 0; --l) {
      const Layer& layer = layers[l];
      u = (u - layer.norm_shift).array() * (-layer.log_norm.array()).exp();
      log_tau -= layer.log_norm.sum();
      const Net net = Conditioner(layer, x, u);
      for (int64_t c = 0; c < layer.changed; ++c) {
        u[layer.changed_first + c] = (u[layer.changed_first + c] - net.shift[c]) / net.scale[c];
        log_tau -= std::log(net.scale[c]);
      }
    }
    return log_tau - 0.5 * u.squaredNorm() - 0.5 * test::kLogTwoPi * static_cast<double>(u.size());
  }

 private:
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  struct Layer {
    int64_t kept_first, kept, changed_first, changed;
    RowMajor w_kept, w_x, w_scale, w_shift;
    VectorXd b, b_scale, b_shift, log_norm, norm_shift;
  };
  struct Net {
    VectorXd scale, shift;
  };

  int64_t Natural(int64_t row) const { return row < even_ ? 2 * row : 2 * (row - even_) + 1; }

  Layer Read(const VectorXd& theta, int64_t index, int64_t* at) const {
    const bool keeps_even = index % 2 == 0;
    const int64_t h = config_.coupling_hidden;
    Layer layer;
    layer.kept_first = keeps_even ? 0 : even_;
    layer.kept = keeps_even ? even_ : odd_;
    layer.changed_first = keeps_even ? even_ : 0;
    layer.changed = keeps_even ? odd_ : even_;
    const auto matrix = [&](int64_t rows, int64_t cols) -> RowMajor {
      const Eigen::Map<const RowMajor> map(theta.data() + *at, rows, cols);
      *at += rows * cols;
      return map;
    };
    layer.w_kept = matrix(2 * h, layer.kept);
    layer.w_x = matrix(2 * h, config_.dim);
    layer.b = matrix(2 * h, 1);
    layer.w_scale = matrix(layer.changed, h);
    layer.b_scale = matrix(layer.changed, 1);
    layer.w_shift = matrix(layer.changed, h);
    layer.b_shift = matrix(layer.changed, 1);
    layer.log_norm = matrix(config_.latent_dim, 1);
    layer.norm_shift = matrix(config_.latent_dim, 1);
    return layer;
  }

  Net Conditioner(const Layer& layer, const VectorXd& x, const VectorXd& u) const {
    const int64_t h = config_.coupling_hidden;
    const VectorXd hidden =
        (layer.w_kept * u.segment(layer.kept_first, layer.kept) + layer.w_x * x + layer.b)
            .cwiseMax(0.0);
    const VectorXd raw = layer.w_scale * hidden.head(h) + layer.b_scale;
    return {raw.unaryExpr([](double v) { return Softplus(v) + 1e-7; }),
            layer.w_shift * hidden.tail(h) + layer.b_shift};
  }

  ProposalConfig config_;
  int64_t even_, odd_;
};

VectorXd Gradient(const std::function<double(const VectorXd&)>& loss, const VectorXd& at) {
  constexpr double kStep = 1e-6;
  VectorXd gradient(at.size()), moved = at;
  for (int64_t i = 0; i < at.size(); ++i) {
    moved[i] = at[i] + kStep;
    const double up = loss(moved);
    moved[i] = at[i] - kStep;
    gradient[i] = (up - loss(moved)) / (2 * kStep);
    moved[i] = at[i];
  }
  return gradient;
}

struct ReferenceAdam {
  VectorXd m, v;
  int steps = 0;

  void Step(double rate, const VectorXd& gradient, VectorXd* parameters) {
    if (steps++ == 0) m = v = VectorXd::Zero(gradient.size());
    m = 0.9 * m + 0.1 * gradient;
    v = 0.999 * v + 0.001 * gradient.cwiseAbs2();
    const VectorXd mean = m / (1 - std::pow(0.9, steps));
    const VectorXd square = v / (1 - std::pow(0.999, steps));
    *parameters -= rate * (mean.array() / (square.array().sqrt() + 1e-8)).matrix();
  }
};

// The algorithm on a model of one component without preconditioning.
class Reference {
 public:
  Reference(const Target& target, const FitOptions& options, const Component& start)
      : target_(target),
        options_(options),
        start_(start),
        flow_(start.proposal.config()),
        phi_(start.family.parameters().cast<double>()),
        theta_(start.proposal.parameters().cast<double>()) {}

  void Step() {
    Draw();
    if (start_.has_proposal) {
      flow_gradient_ = Gradient([&](const VectorXd& theta) { return FlowLoss(theta); }, theta_);
      flow_adam_.Step(options_.flow_learning_rate, flow_gradient_, &theta_);
    }
    MakeScore();
    family_gradient_ = Gradient([&](const VectorXd& phi) { return PathLoss(phi); }, phi_);
    family_adam_.Step(options_.learning_rate, family_gradient_, &phi_);
    ++iteration_;
  }

  const VectorXd& phi() const { return phi_; }
  const VectorXd& theta() const { return theta_; }
  const MatrixXd& x() const { return x_; }
  const MatrixXd& score() const { return score_; }
  const VectorXd& family_gradient() const { return family_gradient_; }

 private:
  test::ReferenceConditional At(const VectorXd& phi, const MatrixXd& epsilon) const {
    return test::Conditionals(start_.family.config(), phi, epsilon);
  }

  // The random numbers are those of the engine; the points are its own.
  void Draw() {
    Scratch scratch;
    ComponentSample sample;
    SampleComponent(start_, options_.seed, RngPurpose::kLatent, RngPurpose::kNoise, iteration_, 0,
                    options_.points, scratch, &sample);
    epsilon_ = sample.epsilon.cast<double>();
    eta_ = sample.eta.cast<double>();
    const test::ReferenceConditional q = At(phi_, epsilon_);
    x_ = q.mean + q.sigma.cwiseProduct(eta_);
    SampleComponent(start_, options_.seed, RngPurpose::kLatent, RngPurpose::kSharedNoise,
                    iteration_, 0, options_.points, scratch, &sample);
    flow_x_ = q.mean + q.sigma.cwiseProduct(sample.eta.cast<double>());
  }

  double FlowLoss(const VectorXd& theta) const {
    double sum = 0;
    for (int64_t j = 0; j < x_.cols(); ++j) {
      sum -= flow_.LogDensity(theta, epsilon_.col(j), flow_x_.col(j));
    }
    return sum / static_cast<double>(x_.cols());
  }

  // The inner samples of point j and the log τ of each.
  MatrixXd InnerSamples(int64_t j, VectorXd* log_tau) const {
    const int64_t k = options_.inner_samples, latent = epsilon_.rows();
    Scratch scratch;
    if (start_.has_proposal) {  // one tile of one point, in a shard of its own
      TileMap noise = TakeTile(scratch, latent, k);
      FillNormal({options_.seed, RngPurpose::kInner, iteration_, static_cast<uint32_t>(j)},
                 noise.data(), latent * noise.outerStride());
      MatrixXd samples(latent, k);
      log_tau->resize(k);
      for (int64_t i = 0; i < k; ++i) {
        samples.col(i) =
            flow_.Sample(theta_, x_.col(j), noise.col(i).cast<double>(), &(*log_tau)[i]);
      }
      return samples;
    }
    MatrixXd samples(latent, k + x_.cols());
    for (int64_t first = 0; first < k; first += kSharedTile) {
      TileMap tile = TakeTile(scratch, latent, std::min(kSharedTile, k - first));
      FillUniform({options_.seed, RngPurpose::kInner, iteration_,
                   static_cast<uint32_t>(first / kSharedTile)},
                  tile.data(), latent * tile.outerStride());
      samples.middleCols(first, tile.cols()) = tile.cast<double>();
    }
    samples.rightCols(x_.cols()) = epsilon_;
    log_tau->setZero(samples.cols());
    return samples;
  }

  void MakeScore() {
    score_.resize(x_.rows(), x_.cols());
    for (int64_t j = 0; j < x_.cols(); ++j) {
      VectorXd log_tau;
      const MatrixXd samples = InnerSamples(j, &log_tau);
      const test::ReferenceConditional q = At(phi_, samples);
      VectorXd log_w(samples.cols());
      for (int64_t i = 0; i < samples.cols(); ++i) {
        log_w[i] = test::LogNormal(x_.col(j), q.mean.col(i), q.sigma.col(i)) - log_tau[i];
      }
      const VectorXd w = (log_w.array() - log_w.maxCoeff()).exp();
      VectorXd sum = VectorXd::Zero(x_.rows());
      for (int64_t i = 0; i < samples.cols(); ++i) {
        sum += w[i] * test::NormalScore(x_.col(j), q.mean.col(i), q.sigma.col(i));
      }
      score_.col(j) = sum / w.sum();
    }
    VectorXd log_p;
    MatrixXd target_score;
    ASSERT_TRUE(target_.Evaluate(x_, &log_p, &target_score).ok());
    difference_ = score_ - target_score;
    // Else the engine would shorten some, which the algorithm knows nothing of.
    const Eigen::ArrayXd length = difference_.colwise().norm();
    ASSERT_LT(length.maxCoeff(), 20 * length.mean());
    ASSERT_LT(length.maxCoeff(), 30);
  }

  double PathLoss(const VectorXd& phi) const {
    const test::ReferenceConditional q = At(phi, epsilon_);
    const MatrixXd h = q.mean + q.sigma.cwiseProduct(eta_);
    return difference_.cwiseProduct(h).sum() / static_cast<double>(x_.cols());
  }

  const Target& target_;
  const FitOptions& options_;
  const Component start_;
  const ReferenceFlow flow_;
  VectorXd phi_, theta_;
  ReferenceAdam family_adam_, flow_adam_;
  uint32_t iteration_ = 0;
  MatrixXd epsilon_, eta_, x_, flow_x_, score_, difference_;
  VectorXd flow_gradient_, family_gradient_;
};

class TrainingStepTest : public testing::TestWithParam<std::string> {
 protected:
  TrainingStepTest() : target_(test::Make("multimodal")), pool_(2) {
    options_ = *FindPreset(GetParam() + "_multimodal");
    options_.points = 24;
    options_.hidden = 12;
    options_.chunks = 1;
    options_.inner_samples = GetParam() == "aisivi" ? 128 : 300;
    options_.sigma_scale = 0.5;
    options_.flow_pretrain_iterations = 0;
    std::vector<std::string> log;
    state_ = StartModels(*target_, options_, pool_, nullptr, &log)->starts.front().state;
    // Away from layers that are zero.
    test::Random random(3);
    test::Perturb(0.2, random, &state_.components[0].family.parameters());
    test::Perturb(0.1, random, &state_.components[0].proposal.parameters());
  }

  std::unique_ptr<const Target> target_;
  ThreadPool pool_;
  FitOptions options_;
  ModelState state_;
};

TEST_P(TrainingStepTest, StepsAreThoseOfTheAuthorsAlgorithm) {
  Trainer trainer(*target_, options_, **FindMethod(GetParam()), pool_, &state_);
  const Component start = state_.components[0];
  Reference reference(*target_, options_, start);
  const VectorXd phi = start.family.parameters().cast<double>();
  const VectorXd theta = start.proposal.parameters().cast<double>();
  StepReport report;
  for (int step = 1; step <= 5; ++step) {
    ASSERT_TRUE(*trainer.Step(1.0, &report));
    reference.Step();
    const VectorXd moved = state_.components[0].family.parameters().cast<double>() - phi;
    EXPECT_LT(test::RelativeError(moved, reference.phi() - phi), 2e-3) << "step " << step;
    if (!start.has_proposal) continue;
    const VectorXd flowed = state_.components[0].proposal.parameters().cast<double>() - theta;
    EXPECT_LT(test::RelativeError(flowed, reference.theta() - theta), 2e-3) << "step " << step;
  }
}

// Adam hides the scale of a gradient; here are score and path gradient themselves.
TEST_P(TrainingStepTest, ScoreAndPathGradientAreThoseOfTheAuthorsAlgorithm) {
  options_.flow_learning_rate = 0;
  Reference reference(*target_, options_, state_.components[0]);
  reference.Step();
  const Component& component = state_.components[0];
  const MethodEntry& method = **FindMethod(GetParam());
  Workspace workspace(pool_);
  ComponentSample sample;
  SampleComponent(component, options_.seed, RngPurpose::kLatent, RngPurpose::kNoise, 0, 0,
                  options_.points, workspace.caller(), &sample);
  EXPECT_LT(test::RelativeError(sample.x.cast<double>(), reference.x()), 1e-5);
  InnerEstimate estimate;
  method.estimate({.family = &component.family,
                   .proposal = component.has_proposal ? &component.proposal : nullptr,
                   .x = &sample.x,
                   .own_epsilon = method.uses_own_epsilon ? &sample.epsilon : nullptr,
                   .seed = options_.seed,
                   .samples = options_.inner_samples},
                  pool_, workspace, &estimate);
  EXPECT_LT(test::RelativeError(estimate.score, reference.score()), 1e-5);
  VectorXd log_p;
  MatrixXd target_score;
  ASSERT_TRUE(target_->Evaluate(sample.x.cast<double>(), &log_p, &target_score).ok());
  Scratch scratch;
  const TileMap epsilon = test::Put(sample.epsilon.cast<double>(), scratch);
  const TileMap eta = test::Put(sample.eta.cast<double>(), scratch);
  const TileMap grad_x =
      test::Put((estimate.score - target_score) / static_cast<double>(options_.points), scratch);
  Eigen::VectorXf gradient = Eigen::VectorXf::Zero(component.family.parameters().size());
  component.family.Backward(Const(epsilon), Const(eta), Const(grad_x), nullptr, scratch, &gradient);
  EXPECT_LT(test::RelativeError(gradient.cast<double>(), reference.family_gradient()), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Methods, TrainingStepTest, testing::Values("aisivi", "bsivi"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace aisivi
