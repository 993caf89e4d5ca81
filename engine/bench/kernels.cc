// Single kernels, for `aisivi-bench` without --report.
#include <benchmark/benchmark.h>

#include "engine/methods/aggregate.h"
#include "engine/nn/mlp.h"
#include "engine/parallel/rng.h"
#include "engine/proposal/coupling_kernel.h"

namespace aisivi::bench {
namespace {

void Normals(benchmark::State& state) {
  std::vector<float> out(state.range(0));
  uint32_t shard = 0;
  for (auto _ : state) {
    FillNormal({1, RngPurpose::kInner, 0, shard++}, out.data(), state.range(0));
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Normals)->Arg(1024)->Arg(25600);

void Softplus(benchmark::State& state) {
  const Eigen::VectorXf in = Eigen::VectorXf::Random(state.range(0));
  Eigen::VectorXf out(state.range(0));
  for (auto _ : state) {
    SoftplusRow(in.data(), 0.5f, 1e-7f, in.size(), out.data());
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Softplus)->Arg(256)->Arg(4096);

// kept, changed, hidden, columns: the conditioner networks of one coupling.
void CouplingNetwork(benchmark::State& state) {
  const int64_t kept = state.range(0), changed = state.range(1), hidden = state.range(2),
                n = state.range(3);
  const Tile w_kept = Tile::Random(2 * hidden, kept), w_out = Tile::Random(changed, hidden);
  const Eigen::VectorXf context = Eigen::VectorXf::Random(2 * hidden),
                        bias = Eigen::VectorXf::Random(changed);
  const CouplingNet net{w_kept.data(), context.data(), 2 * hidden, w_out.data(), bias.data(),
                        w_out.data(),  bias.data(),    kept,       changed,      hidden};
  Scratch scratch;
  TileMap u = TakeTile(scratch, kept, n), raw = TakeTile(scratch, changed, n),
          shift = TakeTile(scratch, changed, n);
  u.setRandom();
  for (auto _ : state) {
    EvaluateCouplingNet(net, Const(u), n, scratch, raw, shift);
    benchmark::DoNotOptimize(raw.data());
  }
  const double flop = 4.0 * static_cast<double>(hidden * (kept + changed) * n);
  state.counters["GFLOP/s"] = benchmark::Counter(
      flop * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(CouplingNetwork)->Args({1, 1, 8, 512})->Args({5, 5, 64, 512})->Args({50, 50, 400, 224});

// input, hidden, output, columns: the family's network.
void FamilyNetwork(benchmark::State& state) {
  const Mlp mlp({state.range(0), state.range(1), state.range(1), state.range(2)});
  Eigen::VectorXf parameters(mlp.parameter_count());
  mlp.Initialize({1, RngPurpose::kFamilyInit, 0, 0}, false, parameters.data());
  Scratch scratch;
  TileMap in = TakeTile(scratch, state.range(0), state.range(3));
  TileMap out = TakeTile(scratch, state.range(2), state.range(3));
  in.setRandom();
  for (auto _ : state) {
    Scratch::Frame frame(scratch);
    mlp.Forward(parameters.data(), Const(in), scratch, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * static_cast<double>(mlp.parameter_count() * state.range(3)) *
                             static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}
BENCHMARK(FamilyNetwork)
    ->Args({2, 128, 2, 512})
    ->Args({10, 100, 22, 512})
    ->Args({100, 128, 100, 224});

void Aggregate(benchmark::State& state) {
  const int64_t dim = state.range(0), n = 512;
  std::vector<double> log_weight(n), score(dim);
  for (int64_t i = 0; i < n; ++i) log_weight[i] = -0.01 * static_cast<double>(i % 97);
  Scratch scratch;
  TileMap gradient = TakeTile(scratch, dim, n);
  gradient.setRandom();
  WeightSums sums{.score = score.data(), .dim = dim};
  sums.Clear();
  for (auto _ : state) {
    sums.Add(log_weight.data(), n, Const(gradient), 0, scratch);
    benchmark::DoNotOptimize(sums.sum);
  }
  state.SetItemsProcessed(state.iterations() * n);
}
BENCHMARK(Aggregate)->Arg(2)->Arg(22)->Arg(100);

}  // namespace
}  // namespace aisivi::bench
