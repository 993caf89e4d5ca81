// What `aisivi experiment` was asked to do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace aisivi::experiments {

enum class Size {
  kQuick,  // minutes: few seeds, and presets shortened where they would take longer
  kPaper   // as published: presets in full, ten seeds
};

struct Settings {
  Size size = Size::kQuick;
  std::filesystem::path out;         // folder of everything that is written
  int64_t seeds = 0;                 // 0: as many as the experiment has at this size
  std::vector<std::string> set;      // hyperparameter=value, on top of the experiment's own
  std::vector<std::string> methods;  // empty: the experiment's own
  std::string target;                // empty: the experiment's own
  std::string reference;             // CSV of reference draws; empty: none
  std::string data;                  // CSV of a regression's data; empty: none
};

inline bool IsQuick(const Settings& settings) { return settings.size == Size::kQuick; }

// How many seeds to run: what was asked for, else what the size stands for.
inline int64_t SeedCount(const Settings& settings, int64_t quick, int64_t paper) {
  if (settings.seeds > 0) return settings.seeds;
  return IsQuick(settings) ? quick : paper;
}

}  // namespace aisivi::experiments
