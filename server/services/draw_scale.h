// Draws on the scale that a request asks for: the variables of its fit, or z.
//
// A fit that an earlier version stored has no variables: its draws are z on either scale.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "aisivi/v1/posterior_service.pb.h"
#include "server/services/fitted_models.h"

namespace aisivi::server {

// INVALID_ARGUMENT at scale for a number that is none.
absl::Status CheckScale(v1::DrawScale scale);

// P, the numbers of a draw on that scale.
int DrawSize(const v1::Fit& fit, v1::DrawScale scale);

// max(D, P): a draw is held as z and on its scale.
int HeldSize(const v1::Fit& fit, v1::DrawScale scale);

// P names.
std::vector<std::string> DrawNames(const FittedModel& fitted, v1::DrawScale scale);

// Draws first … first + N − 1 of the sequence `seed`, from z (D×N) to that scale (P×N).
absl::Status ToScale(const FittedModel& fitted, v1::DrawScale scale, uint64_t seed, int64_t first,
                     Eigen::MatrixXd* draws);

}  // namespace aisivi::server
