// The flags of a command whose target can name a data set.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/fit.pb.h"

namespace aisivi::cli {

struct DatasetFlags {
  std::string dataset;  // name or id
  std::string response;
  std::string predictors;  // comma-separated
  bool intercept = false;
};

// `where` stands before the help of each flag.
void AddDatasetFlags(CLI::App* command, DatasetFlags* flags, const std::string& where = "");

// "datasets/ID" from "datasets/ID" or "ID".
std::string DatasetName(const std::string& name_or_id);

// Names between commas, by the rules of CSV: one with a comma in it stands between quotation marks.
// INVALID_ARGUMENT naming --predictors.
absl::StatusOr<std::vector<std::string>> SplitNames(absl::string_view text);

// Puts the flags that are given into the fit's target. INVALID_ARGUMENT when it takes no data set.
absl::Status ApplyDataset(const DatasetFlags& flags, v1::Fit* fit);

}  // namespace aisivi::cli
