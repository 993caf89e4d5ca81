// The method and the settings of a fit from text: the values of --method and --set.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/fit.pb.h"

namespace aisivi::cli {

// Chooses a method by name, with the options already in `fit` when it is that method already.
// INVALID_ARGUMENT "fit.method: …" (the message lists the names) when there is none.
absl::Status ChooseMethod(absl::string_view name, v1::Fit* fit);

// Sets the setting called `name`, wherever the fit has it: among the options of its method (that of
// the fit, else that of its preset, whose name begins with it, else "aisivi") or in a group that
// methods share. INVALID_ARGUMENT names the field, and where there is none lists those there are.
absl::Status SetSetting(absl::string_view name, absl::string_view text, v1::Fit* fit);

// Whether `name` is an option of a method other than that of `fit`, and not one of its own.
bool IsOptionOfAnotherMethod(absl::string_view name, const v1::Fit& fit);

}  // namespace aisivi::cli
