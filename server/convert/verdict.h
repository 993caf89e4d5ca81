// The engine's verdict on a fit, as a message.
#pragma once

#include "aisivi/v1/fit.pb.h"
#include "engine/evidence/verdict.h"

namespace aisivi::server {

// A value that is NaN and a threshold that is infinite become absent fields.
v1::FitVerdict ToMessage(const FitVerdict& verdict);

v1::ModeSearch ToMessage(const MultistartReport& search);
MultistartReport FromMessage(const v1::ModeSearch& message);

// Judges `fit` by `evidence`, which is its own or a later estimate; score residual, R̂,
// dimension and the search for modes are those of `fit`.
v1::FitVerdict JudgeFitBy(const EvidenceEstimate& evidence, const v1::Fit& fit);

}  // namespace aisivi::server
