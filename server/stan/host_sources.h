// The sources of server/stan/host, which are compiled where programs are: see host.cc there.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace aisivi::server {

// (file name, content).
std::vector<std::pair<std::string, std::string>> StanHostSources();

}  // namespace aisivi::server
