// What an experiment runs in.
#pragma once

#include <sys/types.h>

#include <stop_token>

#include "client/client.h"
#include "client/experiments/settings.h"

namespace aisivi::experiments {

struct Context {
  const Client& client;
  Settings settings;
  std::stop_token stop;  // after a request an experiment returns CANCELLED
  bool json = false;     // print the fits as JSON objects, no lines for people
  pid_t server = 0;      // of the server that was started for the experiment; 0: one that was named
};

}  // namespace aisivi::experiments
