#include "engine/bench/settings.h"

#include <algorithm>

#include "engine/fit/start.h"
#include "engine/methods/methods.h"
#include "engine/methods/tiling.h"
#include "engine/proposal/couplings.h"
#include "engine/targets/registry.h"

namespace aisivi::bench {
namespace {

TargetParameters RandomLogistic() {
  Eigen::MatrixXd x(400, 22);
  Eigen::VectorXd y(400);
  for (int i = 0; i < 400; ++i) {
    for (int j = 0; j < 22; ++j) {
      const RngStream stream{7, RngPurpose::kWarmStart, 0, static_cast<uint32_t>(i)};
      x(i, j) = 2 * UniformAt(stream, j) - 1;
    }
    y[i] = x(i, 3) + x(i, 5) > 0.1 ? 1 : 0;
  }
  return {{"x", x}, {"y", y}};
}

}  // namespace

std::vector<GemmShape> InnerShapes(const FitOptions& o, int dim) {
  const double total = static_cast<double>(o.points) * o.inner_samples * o.chunks;
  const int64_t latent = o.latent_dim == 0 ? dim : o.latent_dim;
  const int64_t hidden = FamilyHidden(o, dim);
  if (o.method == "bsivi") {
    const int64_t columns = kSharedTile;
    const double tiles = static_cast<double>(o.inner_samples * o.chunks + o.points) / columns;
    return {{hidden, latent, columns, tiles},
            {hidden, hidden, columns, tiles},
            {dim, hidden, columns, tiles},
            {o.points, dim, columns, tiles},
            {o.points, columns, dim, tiles}};
  }
  const int64_t units = CouplingHidden(o, dim);
  const int64_t columns = TileWidth(o.inner_samples * o.chunks, latent, dim, hidden, units);
  const double tiles = total / static_cast<double>(columns);
  const int64_t half = (latent + 1) / 2;
  const double layers = static_cast<double>(o.couplings) * tiles;
  const CouplingEntry& coupling = EntryOf(FindCoupling(o.coupling));
  return {{coupling.networks * units, half, columns, layers},
          {(latent - half) * coupling.outputs / coupling.networks, units, columns,
           static_cast<double>(coupling.networks) * layers},
          {hidden, latent, columns, tiles},
          {hidden, hidden, columns, tiles},
          {dim, hidden, columns, tiles}};
}

Setting::Setting(const std::string& preset, ThreadPool& pool,
                 const std::function<void(FitOptions*)>& change) {
  options_ = *FindPreset(preset);
  if (change) change(&options_);
  const std::string name = preset.substr(options_.method.size() + 1);
  if (name == "logistic") {
    target_ = *MakeTarget("logistic_regression", RandomLogistic());
  } else {
    target_ = *MakeTarget(name == "diffusion" ? "conditioned_diffusion" : name, {});
  }
  std::vector<std::string> log;
  state_ = std::move(StartModels(*target_, options_, pool, nullptr, &log)->starts.front().state);
  trainer_ =
      std::make_unique<Trainer>(*target_, options_, **FindMethod(options_.method), pool, &state_);
}

}  // namespace aisivi::bench
