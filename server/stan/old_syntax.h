// Programs in today's Stan for the Stan 2.21 that Debian has.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace aisivi::server {

// What can be said in the old syntax too:
//   array[N, M] vector[K] y     vector[K] y[N, M]; without sizes, in arguments and results,
//                               vector[,]
//   normal_lupdf, poisson_lupmf normal_lpdf, poisson_lpmf: constants are kept
//   profile("name") { … }       { … }
//   n %/% 2                     n / 2
// Everything else, comments and lines included, stays as it is; so does what cannot be read as one
// of these.
std::string WithOldSyntax(absl::string_view program);

// The names in `program` that are newer than Stan 2.21, "ode_rk45, .^", for the error where it does
// not translate; it may have defined one itself. Empty: none.
std::string NewerNames(absl::string_view program);

}  // namespace aisivi::server
