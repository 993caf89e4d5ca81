#include "engine/methods/latent_chain.h"

#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

constexpr double kAcceptance = 0.8, kStepGain = 0.5;
constexpr double kShortestStep = 1e-6, kLongestStep = 1.25;  // 2π/5
constexpr float kJitter = 0.2f;  // of a step, so that no trajectory closes on itself

double KineticEnergy(const TileMap& momentum, int64_t chain) {
  double sum = 0;
  for (int64_t e = 0; e < momentum.rows(); ++e) {
    sum += 0.5 * std::pow(static_cast<double>(momentum(e, chain)), 2);
  }
  return sum;
}

}  // namespace

double NextChainStep(double step, double acceptance) {
  return std::clamp(step * std::exp(kStepGain * (acceptance - kAcceptance)), kShortestStep,
                    kLongestStep);
}

LatentChain::Place LatentChain::TakePlace(Scratch& scratch) const {
  const int64_t n = x_.cols(), dim = family_.latent_dim();
  const TileMap u = TakeTile(scratch, dim, n);
  const bool bounded = !family_.config().gaussian_latent;
  return {u, bounded ? TakeTile(scratch, dim, n) : u, TakeTile(scratch, dim, n),
          scratch.Take<double>(n)};
}

LatentChain::LatentChain(const Family& family, const ConstTileMap& x, const ConstTileMap& epsilon,
                         Scratch& scratch)
    : family_(family),
      x_(x),
      scratch_(scratch),
      momentum_(TakeTile(scratch, family.latent_dim(), x.cols())),
      here_(TakePlace(scratch)),
      there_(TakePlace(scratch)) {
  here_.u = epsilon;
  if (!family.config().gaussian_latent)
    here_.u = (epsilon.array() / (1.0f - epsilon.array())).log();
  Evaluate(&here_);
}

void LatentChain::Evaluate(Place* place) {
  const bool bounded = !family_.config().gaussian_latent;
  if (bounded) place->epsilon = 1.0f / (1.0f + (-place->u.array()).exp());
  family_.LatentScore(Const(place->epsilon), x_, scratch_, place->log_density, place->gradient);
  if (!bounded) return;
  // log |dε/du| = log ε (1 − ε), in a form that does not cancel.
  for (int64_t e = 0; e < place->u.rows(); ++e) {
    for (int64_t i = 0; i < place->u.cols(); ++i) {
      const double size = std::abs(static_cast<double>(place->u(e, i)));
      place->log_density[i] -= size + 2 * std::log1p(std::exp(-size));
    }
  }
  place->gradient.array() *= place->epsilon.array() * (1.0f - place->epsilon.array());
  place->gradient.array() += 1.0f - 2.0f * place->epsilon.array();
}

double LatentChain::Move(const RngStream& momentum, const RngStream& accept, double step,
                         int64_t leapfrogs) {
  Scratch::Frame frame(scratch_);
  const int64_t n = x_.cols();
  FillNormal(momentum, momentum_.data(), momentum_.rows() * momentum_.outerStride());
  double* energy = scratch_.Take<double>(n);
  for (int64_t i = 0; i < n; ++i) energy[i] = KineticEnergy(momentum_, i) - here_.log_density[i];
  const float h =
      static_cast<float>(step) * (1 + kJitter * (2 * static_cast<float>(UniformAt(accept, 0)) - 1));
  there_.u = here_.u;
  momentum_ += 0.5f * h * here_.gradient;
  for (int64_t l = 0; l < leapfrogs; ++l) {
    there_.u += h * momentum_;
    Evaluate(&there_);
    momentum_ += (l + 1 == leapfrogs ? 0.5f : 1.0f) * h * there_.gradient;
  }
  double accepted = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double change = energy[i] - (KineticEnergy(momentum_, i) - there_.log_density[i]);
    const double probability = std::isfinite(change) ? std::exp(std::min(0.0, change)) : 0;
    accepted += probability;
    if (!(UniformAt(accept, static_cast<uint32_t>(i + 1)) < probability)) continue;
    here_.u.col(i) = there_.u.col(i);
    if (here_.epsilon.data() != here_.u.data()) here_.epsilon.col(i) = there_.epsilon.col(i);
    here_.gradient.col(i) = there_.gradient.col(i);
    here_.log_density[i] = there_.log_density[i];
  }
  return accepted;
}

}  // namespace aisivi
