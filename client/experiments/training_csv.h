// The training history of a fit as CSV, and back.
#pragma once

#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "aisivi/v1/fit_service.pb.h"

namespace aisivi::experiments {

// Columns phase, iteration, total_iterations, seconds, loss, flow_loss, proposal_ess,
// score_residual, elbo; "nan" where a report has none.
absl::Status WriteTraining(const std::filesystem::path& file, const v1::TrainingHistory& history);

// DATA_LOSS naming the file when it is not one that WriteTraining() wrote.
absl::StatusOr<v1::TrainingHistory> ReadTraining(const std::filesystem::path& file);

}  // namespace aisivi::experiments
