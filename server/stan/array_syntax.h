// Today's array declarations in the form that Stan had before version 2.26.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace aisivi::server {

// `array[N, M] vector[K] y` becomes `vector[K] y[N, M]`, and `array[,] vector` without sizes (of
// arguments and results) `vector[,]`. Everything else, comments and lines included, stays as it is;
// so does what cannot be read as a declaration.
std::string WithOldArrays(absl::string_view program);

}  // namespace aisivi::server
