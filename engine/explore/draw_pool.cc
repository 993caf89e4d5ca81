#include "engine/explore/draw_pool.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/evidence/not_available.h"
#include "engine/evidence/resample.h"

namespace aisivi {
namespace {

// The last of every `stride` draws.
void Thin(int64_t stride, PooledDraws* part) {
  const int64_t kept = part->z.cols() / stride;
  Eigen::MatrixXd z(part->z.rows(), kept);
  Eigen::VectorXd log_p(kept);
  for (int64_t i = 0; i < kept; ++i) {
    z.col(i) = part->z.col((i + 1) * stride - 1);
    log_p[i] = part->log_p[(i + 1) * stride - 1];
  }
  part->z = std::move(z);
  part->log_p = std::move(log_p);
}

}  // namespace

int64_t DrawPool::size() const {
  int64_t total = 0;
  for (const PooledDraws& part : parts) total += part.z.cols();
  return total;
}

void AddRound(const AnnealedIslands& round, int64_t capacity, DrawPool* pool) {
  const int64_t islands = round.log_z.size(), particles = round.particles.size() / islands;
  for (int64_t i = 0; i < islands; ++i) {
    if (round.log_z[i] == kNoWeight) continue;
    PooledDraws part{i, round.log_z[i], round.particles.z.middleCols(i * particles, particles),
                     round.particles.log_p.segment(i * particles, particles)};
    Thin(pool->stride, &part);
    pool->parts.push_back(std::move(part));
  }
  while (pool->size() > capacity) {
    for (PooledDraws& part : pool->parts) Thin(2, &part);
    pool->stride *= 2;
  }
}

EqualDraws ResamplePool(const DrawPool& pool, int64_t count, double u) {
  const int64_t size = pool.size(), dim = pool.parts.front().z.rows();
  Eigen::VectorXd log_weights(size);
  std::vector<std::pair<const PooledDraws*, int64_t>> source;
  for (const PooledDraws& part : pool.parts) {
    for (int64_t i = 0; i < part.z.cols(); ++i) {
      log_weights[static_cast<int64_t>(source.size())] = part.log_weight;
      source.emplace_back(&part, i);
    }
  }
  const std::vector<int64_t> chosen = SystematicResample(log_weights, std::min(count, size), u);
  EqualDraws draws{Eigen::MatrixXd(dim, static_cast<int64_t>(chosen.size())),
                   Eigen::VectorXd(static_cast<int64_t>(chosen.size()))};
  for (size_t n = 0; n < chosen.size(); ++n) {
    const auto& [part, i] = source[static_cast<size_t>(chosen[n])];
    draws.z.col(static_cast<int64_t>(n)) = part->z.col(i);
    draws.log_p[static_cast<int64_t>(n)] = part->log_p[i];
  }
  return draws;
}

std::vector<Eigen::MatrixXd> DrawsByIsland(const DrawPool& pool, int64_t islands, int64_t dim) {
  std::vector<Eigen::MatrixXd> draws(static_cast<size_t>(islands), Eigen::MatrixXd(dim, 0));
  for (const PooledDraws& part : pool.parts) {
    Eigen::MatrixXd& own = draws[static_cast<size_t>(part.island)];
    const int64_t before = own.cols();
    own.conservativeResize(Eigen::NoChange, before + part.z.cols());
    own.rightCols(part.z.cols()) = part.z;
  }
  return draws;
}

double IslandEss(const std::vector<Eigen::MatrixXd>& draws) {
  std::vector<const Eigen::MatrixXd*> present;
  for (const Eigen::MatrixXd& island : draws) {
    if (island.cols() > 1) present.push_back(&island);
  }
  if (present.size() < 2) return kNotAvailable;
  const int64_t dim = present.front()->rows(), islands = static_cast<int64_t>(present.size());
  Eigen::ArrayXXd means(dim, islands);
  Eigen::ArrayXd within = Eigen::ArrayXd::Zero(dim);
  for (int64_t i = 0; i < islands; ++i) {
    const Eigen::MatrixXd& z = *present[static_cast<size_t>(i)];
    means.col(i) = z.rowwise().mean();
    within += (z.array().colwise() - means.col(i)).square().rowwise().mean() /
              static_cast<double>(islands);
  }
  const Eigen::ArrayXd centre = means.rowwise().mean();
  const Eigen::ArrayXd between =
      (means.colwise() - centre).square().rowwise().sum() / static_cast<double>(islands - 1);
  return static_cast<double>(islands * dim) / (between / within).sum();
}

}  // namespace aisivi
