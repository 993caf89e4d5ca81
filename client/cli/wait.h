// Waiting for a fit while showing how it goes.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/cli/command.h"
#include "client/client.h"

namespace aisivi::cli {

// Follows the fit to its end and prints it. OK when it SUCCEEDED; otherwise an error that says how
// it ended. Ctrl-C leaves the fit running and says how to watch it again.
absl::Status WaitForFit(const Client& client, const std::string& name, const Globals& globals);

}  // namespace aisivi::cli
