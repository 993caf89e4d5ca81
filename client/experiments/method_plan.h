// The fits of an experiment that runs all methods on one target.
#pragma once

#include <string>
#include <vector>

#include "client/experiments/fit_runner.h"
#include "client/experiments/settings.h"

namespace aisivi::experiments {

struct MethodPlan {
  std::string target;   // "conditioned_diffusion"
  std::string subject;  // as people and presets call it: "diffusion"
  v1::TargetSpec spec;  // empty: the target with its defaults
  int64_t quick_seeds = 1, paper_seeds = 3;
};

// All methods, or those of --methods, with the defaults; at paper size also the authors' presets
// METHOD_SUBJECT of aisivi, bsivi and ksivi. The seeds of one way to fit follow one another.
std::vector<PlannedFit> PlanMethods(const Settings& settings, const MethodPlan& plan);

// All seeds of one way to fit.
struct ResultGroup {
  FitKey key;  // of the first
  int seeds = 0;
  std::vector<FitResult> succeeded;
};
std::vector<ResultGroup> GroupResults(const std::vector<FitResult>& results);

// "ksivi, authors' preset".
std::string WayTitle(const FitKey& key);

// "3", or "2 of 3" where some failed.
std::string SeedsOf(const ResultGroup& group);

// The finite values of all seeds.
std::vector<double> ValuesOf(const ResultGroup& group, double (*value)(const FitResult&));
std::vector<double> ValuesOf(const ResultGroup& group, const std::string& measure);

// Says which ways to fit gave the same result to the last digit, because training did not improve
// on the start that they share; empty where none did. Compares the first seeds.
std::string SameResults(const std::vector<ResultGroup>& groups);

int CountGood(const ResultGroup& group);  // verdicts that are good

}  // namespace aisivi::experiments
