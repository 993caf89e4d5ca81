// The names of a variable's elements, as Stan writes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/transforms/parameter.h"

namespace aisivi {

// The number of elements of that shape: 1 for a scalar.
int64_t ElementCount(const std::vector<int64_t>& shape);

// "1", "2", … or "1,1", "2,1", …: the indices of each element, the first index fastest. One empty
// text for a scalar.
std::vector<std::string> IndexTexts(const std::vector<int64_t>& shape);

// One name for each element, the first index fastest: "tau" for a scalar, else "theta[1]" or
// "theta[2,1]", indices from 1, or "beta[temperature]" where there are labels.
std::vector<std::string> ElementNames(const Variable& variable);

// Those of all variables, one after the other.
std::vector<std::string> ElementNames(const std::vector<Variable>& variables);

}  // namespace aisivi
