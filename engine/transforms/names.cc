#include "engine/transforms/names.h"

#include <functional>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace aisivi {

int64_t ElementCount(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

std::vector<std::string> IndexTexts(const std::vector<int64_t>& shape) {
  std::vector<std::string> texts;
  const int64_t count = ElementCount(shape);
  texts.reserve(count);
  std::vector<int64_t> index(shape.size(), 1);
  for (int64_t i = 0; i < count; ++i) {
    texts.push_back(absl::StrJoin(index, ","));
    for (size_t k = 0; k < shape.size() && ++index[k] > shape[k]; ++k) index[k] = 1;
  }
  return texts;
}

std::vector<std::string> ElementNames(const Variable& variable) {
  if (variable.shape.empty() && variable.labels.empty()) return {variable.name};
  std::vector<std::string> names =
      variable.labels.empty() ? IndexTexts(variable.shape) : variable.labels;
  for (std::string& name : names) name = absl::StrCat(variable.name, "[", name, "]");
  return names;
}

std::vector<std::string> ElementNames(const std::vector<Variable>& variables) {
  std::vector<std::string> names;
  for (const Variable& variable : variables) {
    for (std::string& name : ElementNames(variable)) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace aisivi
