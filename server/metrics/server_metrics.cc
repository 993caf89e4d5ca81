#include "server/metrics/server_metrics.h"

#include <utility>

#include "server/jobs/fit_identity.h"

namespace aisivi::server {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Histogram;

constexpr std::array<const char*, 6> kSeriesNames = {"iteration",    "loss",           "flow_loss",
                                                     "proposal_ess", "score_residual", "elbo"};
constexpr std::array<const char*, 6> kSeriesHelp = {
    "Iterations of the current phase that are done.",
    "Mean of log q - log p over the step's points, nats.",
    "Mean of -log tau(eps|z), nats.",
    "Mean effective share of the inner samples.",
    "E|grad log q - grad log p|^2 in whitened coordinates.",
    "Running estimate of the ELBO, nats."};

Histogram::BucketBoundaries QueueBuckets() {
  return {0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400};
}

Histogram::BucketBoundaries IterationBuckets() {
  return {1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};
}

std::array<double, 6> SeriesValues(const FitProgress& progress) {
  return {static_cast<double>(progress.iteration),
          progress.loss,
          progress.flow_loss,
          progress.proposal_ess,
          progress.score_residual,
          progress.elbo};
}

prometheus::MetricFamily JobFamily(const ServerMetrics::StateCounts& counts) {
  prometheus::MetricFamily family;
  family.name = "aisivi_jobs";
  family.help = "Fits by state.";
  family.type = prometheus::MetricType::Gauge;
  for (const auto state : {v1::Fit::STATE_QUEUED, v1::Fit::STATE_RUNNING, v1::Fit::STATE_SUCCEEDED,
                           v1::Fit::STATE_FAILED, v1::Fit::STATE_CANCELLED}) {
    const auto found = counts.find(state);
    prometheus::ClientMetric metric;
    metric.label.push_back({"state", StateName(state)});
    metric.gauge.value = found == counts.end() ? 0 : found->second;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

}  // namespace

ServerMetrics::ServerMetrics(const std::string& version, const std::string& instruction_set)
    : rpcs_(BuildCounter().Name("aisivi_rpcs_total").Help("RPCs that ended.").Register(registry_)),
      ended_(BuildCounter()
                 .Name("aisivi_fits_ended_total")
                 .Help("Fits that ended since the server started.")
                 .Register(registry_)),
      sent_bytes_(BuildCounter()
                      .Name("aisivi_sent_bytes_total")
                      .Help("Bytes of messages sent to clients.")
                      .Register(registry_)
                      .Add({})),
      queue_wait_(BuildHistogram()
                      .Name("aisivi_queue_wait_seconds")
                      .Help("Time from a fit's creation to its start.")
                      .Register(registry_)
                      .Add({}, QueueBuckets())),
      iteration_(BuildHistogram()
                     .Name("aisivi_iteration_seconds")
                     .Help("Duration of a training iteration: the mean between two reports.")
                     .Register(registry_)
                     .Add({}, IterationBuckets())) {
  for (int i = 0; i < kSeries; ++i) {
    series_[i] = &BuildGauge()
                      .Name(std::string("aisivi_fit_") + kSeriesNames[i])
                      .Help(kSeriesHelp[i])
                      .Register(registry_);
  }
  BuildGauge()
      .Name("aisivi_build_info")
      .Help("1; the labels tell what runs.")
      .Register(registry_)
      .Add({{"version", version}, {"instruction_set", instruction_set}})
      .Set(1);
}

ServerMetrics::~ServerMetrics() = default;

void ServerMetrics::SetJobCounter(std::function<StateCounts()> count_jobs) {
  const std::lock_guard<std::mutex> lock(mutex_);
  count_jobs_ = std::move(count_jobs);
}

void ServerMetrics::CountRpc(const std::string& method, const std::string& code) {
  rpcs_.Add({{"method", method}, {"code", code}}).Increment();
}

void ServerMetrics::CountSentBytes(double bytes) { sent_bytes_.Increment(bytes); }

void ServerMetrics::Started(absl::string_view name, absl::Duration queue_wait) {
  queue_wait_.Observe(absl::ToDoubleSeconds(queue_wait));
  const std::lock_guard<std::mutex> lock(mutex_);
  RunningFit& fit = running_[std::string(name)];
  const std::array<double, kSeries> values = SeriesValues(FitProgress());
  for (int i = 0; i < kSeries; ++i) {
    fit.gauges[i] = &series_[i]->Add({{"fit", std::string(name)}}, values[i]);
  }
}

void ServerMetrics::Progressed(absl::string_view name, const FitProgress& progress) {
  const std::array<double, kSeries> values = SeriesValues(progress);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = running_.find(std::string(name));
  if (found == running_.end()) return;
  RunningFit& fit = found->second;
  for (int i = 0; i < kSeries; ++i) fit.gauges[i]->Set(values[i]);
  const int64_t iterations = progress.iteration - fit.iteration;
  if (progress.phase == FitPhase::kTraining && iterations > 0 && fit.iteration > 0) {
    iteration_.Observe((progress.seconds - fit.seconds) / static_cast<double>(iterations));
  }
  fit.iteration = progress.phase == FitPhase::kTraining ? progress.iteration : 0;
  fit.seconds = progress.seconds;
}

void ServerMetrics::Ended(absl::string_view name, v1::Fit::State state) {
  ended_.Add({{"state", StateName(state)}}).Increment();
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = running_.find(std::string(name));
  if (found == running_.end()) return;
  for (int i = 0; i < kSeries; ++i) series_[i]->Remove(found->second.gauges[i]);
  running_.erase(found);
}

std::vector<prometheus::MetricFamily> ServerMetrics::Collect() const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (count_jobs_) families.push_back(JobFamily(count_jobs_()));
  return families;
}

}  // namespace aisivi::server
