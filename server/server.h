// The whole server: composes store, jobs, services and metrics, and listens.
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/parallel/thread_pool.h"
#include "server/config/flags.h"
#include "server/jobs/job_manager.h"
#include "server/metrics/metrics_endpoint.h"
#include "server/metrics/server_metrics.h"
#include "server/remote/density_broker.h"
#include "server/services/dataset_service.h"
#include "server/services/density_service.h"
#include "server/services/fit_service.h"
#include "server/services/fitted_models.h"
#include "server/services/heavy_work.h"
#include "server/services/posterior_service.h"
#include "server/services/target_service.h"
#include "server/stan/stan_programs.h"
#include "server/store/dataset_store.h"
#include "server/store/fit_store.h"

namespace aisivi::server {

class Server {
 public:
  // Takes up what is stored, listens, writes the port file, and runs fits by `run_fit`.
  // The error names the flag that is to blame.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                       FitFunction run_fit);
  ~Server();

  // "HOST:PORT" with the port that was chosen.
  const std::string& listen_address() const { return listen_address_; }
  // Empty when there are no metrics.
  const std::string& metrics_address() const { return metrics_address_; }

  // Interrupts running fits, which go on when the next server starts, closes all streams, stops
  // listening. Idempotent.
  void Shutdown();

 private:
  Server(const ServerOptions& options, std::unique_ptr<FitStore> store,
         std::unique_ptr<DatasetStore> datasets, FitFunction run_fit);
  absl::Status Listen();
  absl::Status ListenForMetrics();
  absl::Status WritePortFile() const;

  const ServerOptions options_;
  const std::unique_ptr<FitStore> store_;
  const std::unique_ptr<DatasetStore> datasets_;
  const std::shared_ptr<ServerMetrics> metrics_;
  ThreadPool pool_;
  DensityBroker densities_;
  StanPrograms stan_;
  const TargetSources sources_;
  JobManager jobs_;
  FittedModels models_;
  HeavyWork checks_;  // of fits to be created
  HeavyWork work_;
  HeavyWork transfers_;  // of data sets and fits
  FitServiceImpl fit_service_;
  PosteriorServiceImpl posterior_service_;
  TargetServiceImpl target_service_;
  DatasetServiceImpl dataset_service_;
  DensityServiceImpl density_service_;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<MetricsEndpoint> endpoint_;
  std::string listen_address_;
  std::string metrics_address_;
};

}  // namespace aisivi::server
