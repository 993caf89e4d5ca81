// What Prometheus scrapes.
//
//   aisivi_build_info{version, instruction_set}    1
//   aisivi_jobs{state}                             fits by state, counted when scraped
//   aisivi_fits_ended_total{state}                 fits that ended since the server started
//   aisivi_queue_wait_seconds                      histogram: from creation to the start
//   aisivi_iteration_seconds                       histogram: mean over the iterations between two
//                                                  reports of a training fit
//   aisivi_rpcs_total{method, code}                RPCs that ended
//   aisivi_sent_bytes_total                        message bytes sent to clients
//   aisivi_fit_{iteration, loss, flow_loss, proposal_ess, score_residual, elbo}{fit}
//                                                  of each running fit; they go when it ends
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/jobs/job_observer.h"

namespace aisivi::server {

// Thread safety: all methods may be called at once.
class ServerMetrics : public JobObserver, public prometheus::Collectable {
 public:
  using StateCounts = std::map<v1::Fit::State, int>;

  ServerMetrics(const std::string& version, const std::string& instruction_set);
  ~ServerMetrics() override;

  // Where aisivi_jobs comes from. An empty function: from nowhere any more.
  void SetJobCounter(std::function<StateCounts()> count_jobs);

  void CountRpc(const std::string& method, const std::string& code);
  void CountSentBytes(double bytes);

  void Started(absl::string_view name, absl::Duration queue_wait) override;
  void Progressed(absl::string_view name, const FitProgress& progress) override;
  void Ended(absl::string_view name, v1::Fit::State state) override;

  // All families, as they are now.
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  static constexpr int kSeries = 6;
  struct RunningFit {
    std::array<prometheus::Gauge*, kSeries> gauges;
    int64_t iteration = 0;
    double seconds = 0;
  };

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& rpcs_;
  prometheus::Family<prometheus::Counter>& ended_;
  prometheus::Counter& sent_bytes_;
  prometheus::Histogram& queue_wait_;
  prometheus::Histogram& iteration_;
  std::array<prometheus::Family<prometheus::Gauge>*, kSeries> series_;

  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, RunningFit> running_;
  std::function<StateCounts()> count_jobs_;
};

}  // namespace aisivi::server
