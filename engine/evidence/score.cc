#include "engine/evidence/score.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/methods/marginal.h"
#include "engine/model/model_state.h"

namespace aisivi {
namespace {

constexpr int64_t kMostInnerSamples = int64_t{1} << 22;
constexpr int64_t kMostBlocks = std::numeric_limits<uint32_t>::max();

absl::Status ValidateScore(const Model& model, const Eigen::Ref<const Eigen::MatrixXd>& z,
                           const ScoreRequest& request) {
  if (z.rows() != model.dim()) {
    return absl::InvalidArgumentError(
        absl::StrCat("points: each must have ", model.dim(), " coordinates, not ", z.rows()));
  }
  if (!z.allFinite()) return absl::InvalidArgumentError("points: every coordinate must be finite");
  if (request.inner_samples < 1 || request.inner_samples > kMostInnerSamples) {
    return absl::InvalidArgumentError(
        absl::StrCat("inner_samples: must be between 1 and ", kMostInnerSamples));
  }
  const int64_t blocks = z.cols() / ScoreBlock(z.rows()) + 1;
  if (request.first_block < 0 || request.first_block > kMostBlocks - blocks) {
    return absl::InvalidArgumentError(
        absl::StrCat("first_block: must be between 0 and ", kMostBlocks - blocks));
  }
  if (model.has_density()) return absl::OkStatus();
  return absl::FailedPreconditionError("model: a set of draws has no score");
}

}  // namespace

absl::StatusOr<ScoreEstimate> EvaluateScore(const Model& model,
                                            const Eigen::Ref<const Eigen::MatrixXd>& z,
                                            const ScoreRequest& request, ThreadPool& pool,
                                            const std::atomic<bool>* cancel) {
  if (absl::Status status = ValidateScore(model, z, request); !status.ok()) return status;
  ScoreEstimate result;
  result.score.resize(z.rows(), z.cols());
  result.log_q.resize(z.cols());
  result.ess.resize(z.cols());
  Workspace workspace(pool);
  MarginalEstimate marginal;
  const int64_t block = ScoreBlock(z.rows());
  for (int64_t first = 0, b = 0; first < z.cols(); first += block, ++b) {
    const int64_t n = std::min(block, z.cols() - first);
    const Eigen::MatrixXd points = z.middleCols(first, n);
    EstimateMarginal({.state = &model.state(),
                      .z = &points,
                      .estimate = request.source == InnerSampleSource::kPrior ? PriorPass : nullptr,
                      .seed = request.seed,
                      .purpose = RngPurpose::kScore,
                      .iteration = static_cast<uint32_t>(request.first_block + b),
                      .samples = request.inner_samples,
                      .far_samples = FarSamples(request.inner_samples),
                      .want_score = true,
                      .cancel = cancel},
                     pool, workspace, &marginal);
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) {
      return absl::CancelledError("cancelled while evaluating scores");
    }
    result.score.middleCols(first, n) = marginal.score;
    result.log_q.segment(first, n) = marginal.log_q;
    result.ess.segment(first, n) = static_cast<double>(request.inner_samples) * marginal.ess;
  }
  return result;
}

}  // namespace aisivi
