// A program's data, read from the form of wire.h.
#pragma once

#include <complex>
#include <cstring>
#include <map>
#include <stan/io/var_context.hpp>
#include <stan/version.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "wire.h"

namespace aisivi::stan_host {

class DataContext : public stan::io::var_context {
 public:
  // Throws std::runtime_error where `bytes` end too early.
  DataContext(const char* bytes, size_t size) : at_(bytes), end_(bytes + size) {
    for (uint64_t left = Number(); left > 0; --left) ReadVariable();
  }

  bool contains_r(const std::string& name) const override { return variables_.count(name) > 0; }
  bool contains_i(const std::string& name) const override {
    const Variable* variable = Find(name);
    return variable != nullptr && variable->is_int;
  }
  std::vector<double> vals_r(const std::string& name) const override {
    const Variable* variable = Find(name);
    if (variable == nullptr) return {};
    if (!variable->is_int) return variable->reals;
    return std::vector<double>(variable->ints.begin(), variable->ints.end());
  }
  std::vector<int> vals_i(const std::string& name) const override {
    return contains_i(name) ? Find(name)->ints : std::vector<int>();
  }
  std::vector<size_t> dims_r(const std::string& name) const override {
    const Variable* variable = Find(name);
    return variable == nullptr ? std::vector<size_t>() : variable->dims;
  }
  std::vector<size_t> dims_i(const std::string& name) const override {
    return contains_i(name) ? Find(name)->dims : std::vector<size_t>();
  }
  void names_r(std::vector<std::string>& names) const override { Names(false, &names); }
  void names_i(std::vector<std::string>& names) const override { Names(true, &names); }

#if STAN_MAJOR > 2 || STAN_MINOR >= 27
  std::vector<std::complex<double>> vals_c(const std::string& name) const override {
    std::vector<std::complex<double>> values;
    const std::vector<double> parts = vals_r(name);
    for (size_t i = 0; 2 * i + 1 < parts.size(); ++i) {
      values.emplace_back(parts[i], parts[i + parts.size() / 2]);
    }
    return values;
  }
  // The messages of Stan 2.21, whose var_context has this itself.
  void validate_dims(const std::string& stage, const std::string& name, const std::string& type,
                     const std::vector<size_t>& declared) const override {
    const auto fail = [&](const std::string& what) {
      throw std::runtime_error(what + "; processing stage=" + stage + "; variable name=" + name +
                               "; base type=" + type);
    };
    size_t declared_size = 1;
    for (const size_t size : declared) declared_size *= size;
    if (!contains_r(name)) {
      if (declared_size != 0 || declared.empty()) fail("variable does not exist");
      return;
    }
    if (type == "int" && !contains_i(name)) fail("int variable contained non-int values");
    const std::vector<size_t> dims = dims_r(name);
    if (dims == declared || (declared_size == 0 && vals_r(name).empty())) return;
    fail("mismatch in dimensions declared and found in context; dims declared=" + Sizes(declared) +
         "; dims found=" + Sizes(dims));
  }
#endif

 private:
  struct Variable {
    bool is_int;
    std::vector<size_t> dims;
    std::vector<int> ints;
    std::vector<double> reals;
  };

  const char* Take(uint64_t bytes) {
    if (bytes > static_cast<uint64_t>(end_ - at_)) throw std::runtime_error("data end too early");
    const char* taken = at_;
    at_ += bytes;
    return taken;
  }
  uint64_t Number() {
    uint64_t number = 0;
    std::memcpy(&number, Take(sizeof(number)), sizeof(number));
    return number;
  }
  void ReadVariable() {
    const bool is_int = Number() != 0;
    const uint64_t name_bytes = Number(), dims = Number(), values = Number();
    if (dims > 64 || name_bytes > (1u << 20) || values > static_cast<uint64_t>(end_ - at_)) {
      throw std::runtime_error("data are malformed");
    }
    const std::string name(Take((name_bytes + 7) / 8 * 8), name_bytes);
    Variable variable{is_int, {}, {}, {}};
    for (uint64_t i = 0; i < dims; ++i) variable.dims.push_back(Number());
    const char* bytes = Take(values * 8);
    if (is_int) {
      variable.ints.resize(values);
      for (uint64_t i = 0; i < values; ++i) {
        int64_t value = 0;
        std::memcpy(&value, bytes + 8 * i, 8);
        variable.ints[i] = static_cast<int>(value);
      }
    } else {
      variable.reals.resize(values);
      if (values > 0) std::memcpy(variable.reals.data(), bytes, values * 8);
    }
    variables_[name] = std::move(variable);
  }
  const Variable* Find(const std::string& name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? nullptr : &found->second;
  }
  void Names(bool ints, std::vector<std::string>* names) const {
    names->clear();
    for (const auto& [name, variable] : variables_) {
      if (variable.is_int == ints) names->push_back(name);
    }
  }
  static std::string Sizes(const std::vector<size_t>& sizes) {
    std::string text = "(";
    for (const size_t size : sizes) {
      if (text.size() > 1) text += ',';
      text += std::to_string(size);
    }
    return text + ')';
  }

  const char* at_;
  const char* const end_;
  std::map<std::string, Variable> variables_;
};

}  // namespace aisivi::stan_host
