// One finished fit of an experiment: which one it is, and what was measured of it.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "aisivi/v1/fit.pb.h"

namespace aisivi::experiments {

// What tells one fit from another; the same key, the same result.
struct FitKey {
  std::string target;  // "banana"
  std::string method;  // empty: that of the preset
  std::string preset;  // empty: the defaults
  std::string set;     // "iterations=500 points=64", in the order they are applied
  uint64_t seed = 1;

  bool operator==(const FitKey&) const = default;
};

// The beginning of the names of a fit's files, different for different keys.
std::string FileStem(const FitKey& key);

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// Natural logarithms, nats; NaN where something was not measured.
struct FitResult {
  FitKey key;
  std::string state;   // as the service names it: "SUCCEEDED"
  std::string reason;  // why it ended: "CONVERGED"
  std::string grade;   // of the verdict: "GOOD"
  double seconds = kNotMeasured;
  double log_z = kNotMeasured;
  double log_z_se = kNotMeasured;
  double elbo_lower = kNotMeasured;
  double elbo_lower_se = kNotMeasured;
  double elbo_upper = kNotMeasured;
  double ess_share = kNotMeasured;  // ess / draws
  double pareto_k = kNotMeasured;
  double score_residual = kNotMeasured;
  double known_log_z = kNotMeasured;       // the truth, where the service knows it
  std::map<std::string, double> measures;  // what the experiment itself measured
};

// What a fit that has ended tells by itself.
FitResult ToResult(const FitKey& key, const v1::Fit& fit);

// KL(q‖p), estimated: known_log_z, or else log_z, minus elbo_lower.
double Gap(const FitResult& result);

// The value of a measure; NaN when there is none of that name.
double MeasureOf(const FitResult& result, const std::string& name);

}  // namespace aisivi::experiments
