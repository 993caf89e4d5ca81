// How the commands show a verdict:
//
//     verdict        Usable with care: gap is 0.21 (at most 0.1).
//     CRITERION             VALUE   GOOD    USABLE  VERDICT
//     gap                   0.2100  ≤ 0.1   ≤ 0.5   usable
//     …
//     gap: log Z - ELBO, nats: how far q is from the posterior, KL(q|p)
//
// Coloured on a terminal; the last lines explain the criteria that are not good.
#pragma once

#include <string>

#include "aisivi/v1/fit.pb.h"

namespace aisivi::cli {

// "good", "usable", "do not trust", coloured; "-" when there is no verdict.
std::string GradeWord(v1::FitVerdict::Grade grade);

// Lines ended by '\n', indented by two spaces; empty when there is no verdict.
std::string DescribeVerdict(const v1::FitVerdict& verdict);

}  // namespace aisivi::cli
