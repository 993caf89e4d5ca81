// Where targets come from that are not in the request alone.
#pragma once

#include <atomic>

namespace aisivi::server {

class DatasetStore;
class DensityBroker;  // server/remote/density_broker.h
class StanPrograms;   // server/stan/stan_programs.h

// Any may be null: such targets are then refused. What they point to outlives who is given them.
struct TargetSources {
  TargetSources() = default;
  TargetSources(DatasetStore* of_datasets) : datasets(of_datasets) {}  // NOLINT: data sets alone

  DatasetStore* datasets = nullptr;
  StanPrograms* stan = nullptr;
  DensityBroker* densities = nullptr;
  // Ends what a target made from these waits for elsewhere. May be null; outlives the target.
  const std::atomic<bool>* cancel = nullptr;
};

}  // namespace aisivi::server
