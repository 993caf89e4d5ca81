// The ways in which the experiments on 2-D targets fit: two methods, as published and by default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/experiments/fit_result.h"
#include "client/experiments/settings.h"

namespace aisivi::experiments {

struct Variant {
  std::string method;
  bool authors;  // by the authors' preset for the target, otherwise with the defaults

  bool operator==(const Variant&) const = default;
};

// aisivi and bsivi by the authors' presets, then with the defaults.
const std::vector<Variant>& Variants();

// The one that the key belongs to.
Variant VariantOf(const FitKey& key);

std::string Title(const Variant& variant);  // "aisivi, authors' preset"
std::string Label(const Variant& variant);  // "aisivi preset", where there is little room

// What the quick size changes of a preset, like FitKey.set; empty where it takes it as it is.
std::string Shortening(const Variant& variant, const std::string& target);

FitKey KeyOf(const Variant& variant, const std::string& target, uint64_t seed,
             const Settings& settings);

// Settings by which a fit keeps what it learned in that many iterations, whatever its start was
// worth.
std::string TrainedFor(int64_t iterations);
// At most that many iterations.
std::string AtMost(int64_t iterations);
// That many coupling layers in the proposal.
std::string WithCouplings(int64_t couplings);

// Joins lists of assignments with single blanks, without empty ones.
std::string JoinSets(const std::vector<std::string>& sets);

}  // namespace aisivi::experiments
