#include "engine/transforms/parameter_map.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/transforms/names.h"
#include "engine/transforms/registry.h"
#include "engine/transforms/scalar.h"

namespace aisivi {
namespace {

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= kMaxNameLength && absl::ascii_isalpha(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

absl::Status CheckShape(const std::vector<int64_t>& shape) {
  if (shape.size() > kMaxIndices) {
    return Wrong("shape", absl::StrCat("has more than ", kMaxIndices, " sizes"));
  }
  int64_t elements = 1;
  for (const int64_t size : shape) {
    if (size < 1) return Wrong("shape", absl::StrCat("has a size of ", size, ", must be positive"));
    if (size > kMaxElements / elements) {
      return Wrong("shape", absl::StrCat("has more than ", kMaxElements, " elements"));
    }
    elements *= size;
  }
  return absl::OkStatus();
}

// The sizes that one transform takes together.
std::vector<int64_t> Block(const TransformEntry& entry, const std::vector<int64_t>& shape) {
  if (entry.indices == 0) return {ElementCount(shape)};
  return {shape.end() - entry.indices, shape.end()};
}

// INVALID_ARGUMENT "FIELD: …".
absl::Status CheckParameter(const Parameter& parameter) {
  if (!IsName(parameter.name)) {
    return Wrong("name", absl::StrCat("must be a letter, then letters, digits and underscores, at "
                                      "most ",
                                      kMaxNameLength));
  }
  if (absl::Status s = CheckShape(parameter.shape); !s.ok()) return s;
  const TransformEntry* entry = FindTransform(parameter.constraint.kind);
  if (entry == nullptr) return Wrong("constraint.kind", "is not known");
  if (static_cast<int>(parameter.shape.size()) < entry->indices) {
    return Wrong("shape", absl::StrCat("has ", parameter.shape.size(), " sizes; ", entry->name,
                                       " needs at least ", entry->indices));
  }
  if (entry->indices > 0) {
    const absl::Status status = entry->check_block(Block(*entry, parameter.shape));
    if (!status.ok()) return Wrong("shape", status.message());
  }
  const absl::Status bounds = CheckBounds(parameter.constraint);
  if (bounds.ok()) return bounds;
  return absl::InvalidArgumentError(absl::StrCat("constraint.", bounds.message()));
}

// Of block `block`: its element i stands at block + blocks · i.
void Gather(const double* from, int64_t blocks, int64_t block, Eigen::VectorXd* to) {
  for (Eigen::Index i = 0; i < to->size(); ++i) (*to)(i) = from[block + blocks * i];
}

void Scatter(const Eigen::VectorXd& from, int64_t blocks, int64_t block, double* to) {
  for (Eigen::Index i = 0; i < from.size(); ++i) to[block + blocks * i] = from(i);
}

}  // namespace

ParameterMap::ParameterMap(ParameterMap&&) noexcept = default;
ParameterMap& ParameterMap::operator=(ParameterMap&&) noexcept = default;
ParameterMap::~ParameterMap() = default;

absl::StatusOr<ParameterMap> ParameterMap::Make(std::vector<Parameter> parameters) {
  if (parameters.size() > kMaxParameters) {
    return Wrong("parameters", absl::StrCat("has more than ", kMaxParameters, " entries"));
  }
  ParameterMap map;
  std::set<std::string> names;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    absl::Status status = CheckParameter(parameter);
    if (status.ok() && !names.insert(parameter.name).second) {
      status = Wrong("name", absl::StrCat("\"", parameter.name, "\" is there twice"));
    }
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("parameters[", i, "].", status.message()));
    }
    const int64_t elements = ElementCount(parameter.shape);
    if (elements > kMaxElements - map.constrained_) {
      return Wrong("parameters", absl::StrCat("have more than ", kMaxElements, " elements in all"));
    }
    const TransformEntry& entry = *FindTransform(parameter.constraint.kind);
    Part part;
    part.transform = entry.make(parameter.constraint, Block(entry, parameter.shape));
    part.blocks = elements / part.transform->elements();
    part.coordinate = map.unconstrained_;
    part.element = map.constrained_;
    map.unconstrained_ += part.blocks * part.transform->coordinates();
    map.constrained_ += elements;
    map.parts_.push_back(std::move(part));
  }
  if (map.unconstrained_ == 0) return Wrong("parameters", "have no free coordinate");
  map.parameters_ = std::move(parameters);
  return map;
}

std::vector<std::string> ParameterMap::CoordinateNames() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Parameter& parameter = parameters_[i];
    const int indices = FindTransform(parameter.constraint.kind)->indices;
    if (indices == 0) {
      for (std::string& name : ElementNames(Variable{parameter.name, parameter.shape, {}, false})) {
        names.push_back(std::move(name));
      }
      continue;
    }
    const std::vector<int64_t> before(parameter.shape.begin(), parameter.shape.end() - indices);
    for (const std::string& block : IndexTexts(before)) {
      for (int64_t c = 1; c <= parts_[i].transform->coordinates(); ++c) {
        names.push_back(absl::StrCat(parameter.name, "[", block, block.empty() ? "" : ",", c, "]"));
      }
    }
  }
  return names;
}

std::vector<Variable> ParameterMap::Variables() const {
  std::vector<Variable> variables;
  for (const Parameter& parameter : parameters_) {
    variables.push_back({parameter.name, parameter.shape, {}, false});
  }
  return variables;
}

void ParameterMap::Constrain(const Eigen::Ref<const Eigen::MatrixXd>& y, Eigen::MatrixXd* x,
                             Eigen::VectorXd* log_jacobian) const {
  x->resize(constrained_, y.cols());
  if (log_jacobian != nullptr) *log_jacobian = Eigen::VectorXd::Zero(y.cols());
  for (const Part& part : parts_) {
    const int64_t coordinates = part.transform->coordinates();
    Eigen::VectorXd values(part.transform->elements());
    for (Eigen::Index n = 0; n < y.cols(); ++n) {
      const double* from = y.col(n).data() + part.coordinate;
      double* to = x->col(n).data() + part.element;
      double sum = 0;
      for (int64_t b = 0; b < part.blocks; ++b) {
        sum += part.transform->Constrain(from + b * coordinates, values.data());
        Scatter(values, part.blocks, b, to);
      }
      if (log_jacobian != nullptr) (*log_jacobian)(n) += sum;
    }
  }
}

void ParameterMap::PullBack(const Eigen::Ref<const Eigen::MatrixXd>& y,
                            const Eigen::Ref<const Eigen::MatrixXd>& x,
                            const Eigen::Ref<const Eigen::MatrixXd>& grad_x,
                            Eigen::MatrixXd* grad_y) const {
  grad_y->resize(unconstrained_, y.cols());
  for (const Part& part : parts_) {
    const int64_t coordinates = part.transform->coordinates();
    Eigen::VectorXd values(part.transform->elements()), slopes(part.transform->elements());
    for (Eigen::Index n = 0; n < y.cols(); ++n) {
      for (int64_t b = 0; b < part.blocks; ++b) {
        const int64_t first = part.coordinate + b * coordinates;
        Gather(x.col(n).data() + part.element, part.blocks, b, &values);
        Gather(grad_x.col(n).data() + part.element, part.blocks, b, &slopes);
        part.transform->PullBack(y.col(n).data() + first, values.data(), slopes.data(),
                                 grad_y->col(n).data() + first);
      }
    }
  }
}

absl::Status ParameterMap::Unconstrain(const Eigen::Ref<const Eigen::MatrixXd>& x,
                                       Eigen::MatrixXd* y) const {
  if (x.rows() != constrained_) {
    return Wrong("x", absl::StrCat("points have ", x.rows(), " elements, the parameters have ",
                                   constrained_));
  }
  y->resize(unconstrained_, x.cols());
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    const int64_t coordinates = part.transform->coordinates();
    Eigen::VectorXd values(part.transform->elements());
    for (Eigen::Index n = 0; n < x.cols(); ++n) {
      for (int64_t b = 0; b < part.blocks; ++b) {
        Gather(x.col(n).data() + part.element, part.blocks, b, &values);
        const absl::Status status = part.transform->Unconstrain(
            values.data(), y->col(n).data() + part.coordinate + b * coordinates);
        if (status.ok()) continue;
        return Wrong(parameters_[i].name, absl::StrCat("point ", n + 1, ": ", status.message()));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace aisivi
