// Text into Protobuf fields: the values of --param, --set and the like, by reflection.
//
//   number          0.01        1e5 is fine for whole numbers too
//   vector          1,2,3
//   matrix          1,0;0,1     rows separated by semicolons
//   several         1,0;0,1|2,0;0,2   matrices separated by bars
//   flag            true, false
//   time            2.5, in seconds
//   choice          imq: the value of an enum without what all values' names begin with
//   text            as it is
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/fit.pb.h"

namespace aisivi::cli {

// "key=value" into its halves. INVALID_ARGUMENT naming `option` when there is no '=' or no key.
absl::StatusOr<std::pair<std::string, std::string>> SplitAssignment(absl::string_view option,
                                                                    absl::string_view assignment);

// Sets message.NAME from text. INVALID_ARGUMENT "PATH.NAME: …" when there is no such field (the
// message lists those there are) or the text does not fit it.
absl::Status SetField(absl::string_view path, absl::string_view name, absl::string_view text,
                      google::protobuf::Message* message);

// Chooses a target by name, with the parameters already in `fit` when it is that target already.
// INVALID_ARGUMENT "fit.target: …" (the message lists the names) when there is none.
absl::Status ChooseTarget(absl::string_view name, v1::Fit* fit);

// The message of the chosen target; null when none is chosen. *path becomes "fit.target.NAME".
google::protobuf::Message* ChosenTarget(v1::Fit* fit, std::string* path);

// "1,2;3,4" into rows of equal length. INVALID_ARGUMENT "FIELD: …" otherwise.
absl::StatusOr<v1::Matrix> ParseMatrix(absl::string_view field, absl::string_view text);

// "1,2,3". INVALID_ARGUMENT "FIELD: …" otherwise.
absl::StatusOr<std::vector<double>> ParseVector(absl::string_view field, absl::string_view text);

}  // namespace aisivi::cli
