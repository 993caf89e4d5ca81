// One batch of points that a density is asked for, and what answers it.
#pragma once

#include <Eigen/Core>
#include <condition_variable>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "aisivi/v1/density_service.pb.h"

namespace aisivi::server {

// Of the values of a batch, or of an answer's numbers: both messages stay below 2 MB.
inline constexpr int64_t kMostBatchBytes = 1'990'000;

// Points of V elements that a batch may have, at least 1.
int64_t PointsPerBatch(int64_t values);

struct Batch {
  enum class State { kWaiting, kSent, kAnswered, kFailed, kAbandoned };

  int64_t id = 0;
  int64_t points = 0;  // N
  int64_t values = 0;  // V
  bool score = false;
  bool check = false;
  std::shared_ptr<const v1::ServeDensityResponse> message;

  State state = State::kWaiting;
  // Of whoever waits for the answer; null of a check.
  std::shared_ptr<std::condition_variable> waiter;
  int sends = 0;
  v1::BatchAnswer answer;  // of kAnswered; it passed CheckAnswer()
  absl::Status failure;    // of kFailed
};

// x: V×N, finite.
std::shared_ptr<Batch> MakeBatch(int64_t id, const Eigen::Ref<const Eigen::MatrixXd>& x, bool score,
                                 bool check);

// INVALID_ARGUMENT at "answer.FIELD" for an answer that is not of the batch's shape. Values may be
// anything.
absl::Status CheckAnswer(const Batch& batch, const v1::BatchAnswer& answer);

// The numbers of an answer that passed the check. log_density: N; score: null, or V×N.
void ReadAnswer(const Batch& batch, Eigen::Ref<Eigen::VectorXd> log_density, Eigen::MatrixXd* score,
                int64_t first_column = 0);

}  // namespace aisivi::server
