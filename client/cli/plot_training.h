// The training curves of a fit as gnuplot panels, one above the other.
#pragma once

#include <functional>
#include <string>

#include "aisivi/v1/fit_service.pb.h"

namespace aisivi::cli {

// A rectangle, in shares of the page.
struct Panel {
  double left, right, bottom, top;
};

// Writes a data file and returns its quoted path.
using WriteData = std::function<std::string(const std::string& name, const std::string& data)>;

// ELBO, effective share of the inner samples and score residual over seconds, inside `region`.
std::string TrainingPanels(const v1::Fit& fit, const v1::TrainingHistory& history,
                           const Panel& region, const WriteData& write_data);

}  // namespace aisivi::cli
