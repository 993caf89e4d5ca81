// What of the API stands on the wire, as text to compare.
#pragma once

#include <set>
#include <string>

namespace aisivi {

// One line for each field, enum value and RPC of the package aisivi.v1, for instance
//   field aisivi.v1.Fit 6 preset: string
//   value aisivi.v1.Kernel 2 KERNEL_IMQ
//   rpc aisivi.v1.FitService.WatchFit: aisivi.v1.WatchFitRequest -> stream
//   aisivi.v1.WatchFitResponse reserved aisivi.v1.Fit 5 reserved aisivi.v1.Fit hyperparameters
std::set<std::string> WireListing();

// The lines of `recorded` that `now` breaks: those that are gone, save fields whose number and name
// are both reserved now.
std::set<std::string> BrokenLines(const std::set<std::string>& recorded,
                                  const std::set<std::string>& now);

}  // namespace aisivi
