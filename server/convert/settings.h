// The settings of a fit and the engine's FitOptions, by reflection: a field of a settings message
// is the option of the same name in OptionTable(), a field of MethodSpec the method of that name.
//
//   int64, double, bool → the same      enum value KERNEL_IMQ of Kernel → the text "imq"
//   Duration → seconds
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/settings.pb.h"
#include "engine/fit/options.h"
#include "google/protobuf/message.h"

namespace aisivi::server {

// The method that is set, for instance "aisivi"; empty when none is.
std::string MethodName(const v1::MethodSpec& spec);

// Applies what is set in a Fit or FitSettings to `options`, and returns an INVALID_ARGUMENT for
// each field that is wrong, at "FIELD.GROUP.OPTION" or "FIELD.method.METHOD.OPTION".
std::vector<absl::Status> ApplySettings(const google::protobuf::Message& source,
                                        absl::string_view field, FitOptions* options);

// Every field set; of the method those that are its own.
v1::FitSettings ToSettings(const FitOptions& options);

// Where a fit by `method` has `option`, for instance "schedule.points" or
// "method.aisivi.inner_samples"; "method" where it has no such option.
std::string SettingPath(absl::string_view method, absl::string_view option);

}  // namespace aisivi::server
