#include "engine/explore/population.h"

#include <cmath>
#include <utility>

#include "engine/evidence/resample.h"
#include "engine/parallel/rng.h"

namespace aisivi {

Eigen::MatrixXd Population::LogRatio(int64_t islands) const {
  Eigen::MatrixXd ratio(size() / islands, islands);
  for (int64_t i = 0; i < size(); ++i) {
    const double delta = log_p[i] - log_base[i];
    ratio.data()[i] = std::isfinite(delta) ? delta : kNoWeight;
  }
  return ratio;
}

Population UndefinedPopulation(int64_t dim, int64_t size) {
  Population population;
  population.z.resize(dim, size);
  population.log_p.resize(size);
  population.score.resize(dim, size);
  population.log_base.resize(size);
  return population;
}

void CopyParticle(const Population& from, int64_t from_column, Population* to, int64_t to_column) {
  to->z.col(to_column) = from.z.col(from_column);
  to->log_p[to_column] = from.log_p[from_column];
  to->score.col(to_column) = from.score.col(from_column);
  to->log_base[to_column] = from.log_base[from_column];
}

absl::StatusOr<Population> DrawPopulation(Evaluator& evaluator, const AnnealingBase& base,
                                          uint64_t seed, int64_t islands, int64_t count) {
  Population population = UndefinedPopulation(base.dim(), islands * count);
  evaluator.pool().ParallelFor(islands, [&](int64_t island, int) {
    population.z.middleCols(island * count, count) =
        DrawBase(base, seed, static_cast<uint32_t>(island), count);
  });
  Evaluation evaluation;
  if (absl::Status s = evaluator.Evaluate(population.z, &evaluation); !s.ok()) return s;
  population.log_p = std::move(evaluation.log_density);
  population.score = std::move(evaluation.score);
  population.log_base = LogBase(base, population.z, evaluator.pool());
  return population;
}

Population ResampleIslands(const Population& population, int64_t islands, double beta_increment,
                           int64_t count, uint64_t seed, uint32_t level) {
  const int64_t particles = population.size() / islands;
  const Eigen::MatrixXd log_weights = population.LogRatio(islands) * beta_increment;
  Population chosen = UndefinedPopulation(population.z.rows(), islands * count);
  for (int64_t island = 0; island < islands; ++island) {
    Eigen::VectorXd own = log_weights.col(island);
    if (!std::isfinite(own.maxCoeff())) own.setZero();
    const double u =
        UniformAt({seed, RngPurpose::kExploreResample, level, static_cast<uint32_t>(island)}, 0);
    const std::vector<int64_t> ancestors = SystematicResample(own, count, u);
    for (int64_t i = 0; i < count; ++i) {
      CopyParticle(population, island * particles + ancestors[static_cast<size_t>(i)], &chosen,
                   island * count + i);
    }
  }
  return chosen;
}

}  // namespace aisivi
