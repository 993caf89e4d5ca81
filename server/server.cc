#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/parallel/instruction_set.h"
#include "server/metrics/rpc_interceptor.h"
#include "server/services/array_transport.h"
#include "server/store/durable_file.h"
#include "spdlog/spdlog.h"

namespace aisivi::server {
namespace {

constexpr int64_t kMebibyte = 1 << 20;
// Threads for RPCs that are answered at once, or in a second (CancelFit).
constexpr int kMaxRpcThreads = 256;
// A check is a fraction of a second; what waits holds its request, of 64 MB at most by default.
constexpr HeavyWorkLimits kCheckLimits = {.threads = 2, .waiting = 64, .open = 256};
// Each thread may hold kMaxNumbers doubles, each open stream of resampled draws a quarter of that.
constexpr HeavyWorkLimits kWorkLimits = {.threads = 4, .waiting = 32, .open = 128};
// Of data sets and fits: an open one holds a message and a file, or a fit.
constexpr HeavyWorkLimits kTransferLimits = {.threads = 2, .waiting = 32, .open = 64};
constexpr std::chrono::seconds kGrace(1);

absl::Status FlagError(absl::string_view flag, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, ": ", text));
}

// "HOST:PORT" with another port.
std::string WithPort(const std::string& address, int port) {
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

void WarnUnlessLoopback(absl::string_view flag, const std::string& address) {
  if (absl::StartsWith(address, "127.") || absl::StartsWith(address, "localhost:") ||
      absl::StartsWith(address, "[::1]:")) {
    return;
  }
  spdlog::warn("--{}: {} can be reached from other machines, and there is no access control",
               std::string(flag), address);
}

StanSettings StanOptions(const ServerOptions& options, int threads) {
  StanSettings settings;
  settings.directory = absl::StrCat(options.data_dir, "/stan");
  settings.stan_home = options.stan_home;
  settings.sandbox = options.stan_sandbox == "none" ? SandboxKind::kNone : SandboxKind::kBubblewrap;
  settings.memory_bytes = options.stan_memory_mb * kMebibyte;
  settings.processes = threads;
  return settings;
}

TargetSources Sources(DatasetStore* datasets, StanPrograms* stan, DensityBroker* densities) {
  TargetSources sources(datasets);
  sources.stan = stan;
  sources.densities = densities;
  return sources;
}

}  // namespace

Server::Server(const ServerOptions& options, std::unique_ptr<FitStore> store,
               std::unique_ptr<DatasetStore> datasets, FitFunction run_fit)
    : options_(options),
      store_(std::move(store)),
      datasets_(std::move(datasets)),
      metrics_(std::make_shared<ServerMetrics>(Version(), EngineInstructionSet())),
      pool_(options.threads),
      stan_(StanOptions(options, pool_.threads())),
      sources_(Sources(datasets_.get(), &stan_, &densities_)),
      jobs_({options.max_running, options.max_queued}, std::move(run_fit), &pool_, store_.get(),
            metrics_.get(), sources_),
      models_(&jobs_, sources_),
      checks_(kCheckLimits),
      work_(kWorkLimits),
      transfers_(kTransferLimits),
      fit_service_(&jobs_, sources_, &checks_, &transfers_, options.max_request_mb * kMebibyte),
      posterior_service_(&models_, &pool_, &work_, options.max_request_mb * kMebibyte),
      target_service_(sources_, &work_, options.max_request_mb * kMebibyte),
      dataset_service_(&jobs_, datasets_.get(), &transfers_, options.upload_patience),
      density_service_(&densities_) {}

Server::~Server() { Shutdown(); }

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                                      FitFunction run_fit) {
  absl::StatusOr<std::unique_ptr<FitStore>> store = FitStore::Open(options.data_dir);
  if (!store.ok()) return FlagError("data_dir", store.status().message());
  absl::StatusOr<std::unique_ptr<DatasetStore>> datasets = DatasetStore::Open(
      options.data_dir, {options.max_dataset_mb * kMebibyte, options.dataset_quota_bytes});
  if (!datasets.ok()) return FlagError("data_dir", datasets.status().message());
  std::unique_ptr<Server> server(
      new Server(options, *std::move(store), *std::move(datasets), std::move(run_fit)));
  server->jobs_.Recover();
  server->metrics_->SetJobCounter([jobs = &server->jobs_] { return jobs->CountByState(); });
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  if (absl::Status status = server->ListenForMetrics(); !status.ok()) return status;
  if (absl::Status status = server->WritePortFile(); !status.ok()) return status;
  server->jobs_.Start();
  return server;
}

absl::Status Server::Listen() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  WarnUnlessLoopback("listen", options_.listen);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options_.listen, grpc::InsecureServerCredentials(), &port);
  // A second server on the same port must fail, not share it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  CarryArrays(&builder);
  builder.SetMaxReceiveMessageSize(static_cast<int>(2 * options_.max_request_mb * kMebibyte));
  builder.SetMaxSendMessageSize(-1);
  builder.SetResourceQuota(grpc::ResourceQuota("rpcs").SetMaxThreads(kMaxRpcThreads));
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<RpcInterceptorFactory>(metrics_.get()));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  builder.RegisterService(&fit_service_);
  builder.RegisterService(&posterior_service_);
  builder.RegisterService(&target_service_);
  builder.RegisterService(&dataset_service_);
  builder.RegisterService(&density_service_);
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr || port == 0) {
    return FlagError("listen", absl::StrCat("cannot listen on ", options_.listen));
  }
  listen_address_ = WithPort(options_.listen, port);
  spdlog::info("serving on {}, fits in {}", listen_address_, store_->directory());
  spdlog::info("engine for {}, {} threads", EngineInstructionSet(), pool_.threads());
  return absl::OkStatus();
}

absl::Status Server::ListenForMetrics() {
  if (options_.metrics_listen.empty()) return absl::OkStatus();
  WarnUnlessLoopback("metrics_listen", options_.metrics_listen);
  absl::StatusOr<std::unique_ptr<MetricsEndpoint>> endpoint =
      MetricsEndpoint::Start(options_.metrics_listen, metrics_);
  if (!endpoint.ok()) return FlagError("metrics_listen", endpoint.status().message());
  endpoint_ = *std::move(endpoint);
  metrics_address_ = WithPort(options_.metrics_listen, endpoint_->port());
  spdlog::info("metrics on http://{}/metrics", metrics_address_);
  return absl::OkStatus();
}

absl::Status Server::WritePortFile() const {
  if (options_.port_file.empty()) return absl::OkStatus();
  const absl::Status status = WriteFileDurably(
      options_.port_file,
      absl::StrCat("listen=", listen_address_, "\nmetrics_listen=", metrics_address_, "\n"));
  return status.ok() ? status : FlagError("port_file", status.message());
}

void Server::Shutdown() {
  if (grpc_ != nullptr) grpc_->GetHealthCheckService()->SetServingStatus(false);
  jobs_.Shutdown();
  densities_.Shutdown();
  if (grpc_ != nullptr) {
    grpc_->Shutdown(std::chrono::system_clock::now() + kGrace);
    grpc_->Wait();
    grpc_.reset();
  }
  endpoint_.reset();
  metrics_->SetJobCounter(nullptr);
}

}  // namespace aisivi::server
