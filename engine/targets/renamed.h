// A target whose coordinates have other names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/targets/target.h"

namespace aisivi {

// `names`: unique, one for each coordinate of `target`.
std::unique_ptr<const Target> Renamed(std::unique_ptr<const Target> target,
                                      std::vector<std::string> names);

}  // namespace aisivi
