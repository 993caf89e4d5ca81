// Columns of a batch cut into shards of a fixed size, whatever the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "engine/parallel/thread_pool.h"

namespace aisivi {

struct ColumnShard {
  uint32_t index;
  int64_t first, count;  // columns first … first + count − 1
};

// Runs task once for each shard of `columns` columns, on the threads of the pool.
inline void ForColumnShards(ThreadPool& pool, int64_t columns,
                            absl::FunctionRef<void(const ColumnShard&)> task) {
  constexpr int64_t kShardColumns = 64;
  pool.ParallelFor((columns + kShardColumns - 1) / kShardColumns, [&](int64_t shard, int) {
    const int64_t first = shard * kShardColumns;
    task({static_cast<uint32_t>(shard), first, std::min(kShardColumns, columns - first)});
  });
}

}  // namespace aisivi
