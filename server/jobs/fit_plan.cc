#include "server/jobs/fit_plan.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "server/convert/hyperparameters.h"
#include "server/convert/target_data.h"
#include "server/convert/target_spec.h"
#include "server/jobs/fit_work.h"
#include "server/status.h"
#include "server/store/durable_file.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

constexpr size_t kMaxText = 256;
constexpr size_t kMaxName = 64;  // of methods and presets: longer than any
constexpr size_t kMaxLabels = 64;
constexpr size_t kMaxLabelKey = 63;

v1::Fit InputFields(const v1::Fit& request) {
  v1::Fit fit;
  fit.set_display_name(request.display_name());
  *fit.mutable_labels() = request.labels();
  if (request.has_target()) *fit.mutable_target() = request.target();
  fit.set_method(request.method());
  fit.set_preset(request.preset());
  if (request.has_hyperparameters()) *fit.mutable_hyperparameters() = request.hyperparameters();
  if (request.has_seed()) fit.set_seed(request.seed());
  return fit;
}

bool IsLabelKey(absl::string_view key) {
  if (key.empty() || key.size() > kMaxLabelKey || !absl::ascii_islower(key[0])) return false;
  for (const char c : key) {
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c) && c != '_' && c != '-') return false;
  }
  return true;
}

// A text that is kept and shown.
absl::Status CheckText(absl::string_view field, absl::string_view text) {
  if (text.size() > kMaxText) {
    return FieldError(field, absl::StrCat("has more than ", kMaxText, " bytes"));
  }
  if (HasControlCharacters(text)) {
    return FieldError(field, absl::StrCat("has control characters: ", Quoted(text)));
  }
  return absl::OkStatus();
}

// A text that is looked up, and repeated when there is no such name.
absl::Status CheckName(absl::string_view field, absl::string_view name) {
  if (name.size() <= kMaxName && !HasControlCharacters(name)) return absl::OkStatus();
  return FieldError(field, absl::StrCat("there is no ", Quoted(name)));
}

absl::Status CheckTexts(const v1::Fit& fit) {
  for (absl::Status status :
       {CheckText("fit.display_name", fit.display_name()), CheckName("fit.method", fit.method()),
        CheckName("fit.preset", fit.preset())}) {
    if (!status.ok()) return status;
  }
  if (fit.labels().size() > kMaxLabels) {
    return FieldError("fit.labels", absl::StrCat("has more than ", kMaxLabels, " entries"));
  }
  for (const auto& [key, value] : fit.labels()) {
    if (!IsLabelKey(key)) {
      return FieldError("fit.labels", "keys must match [a-z][a-z0-9_-]{0,62}");
    }
    if (absl::Status status = CheckText(absl::StrCat("fit.labels.", key), value); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<FitOptions> RequestedOptions(const v1::Fit& fit) {
  FitOptions options;
  if (!fit.preset().empty()) {
    absl::StatusOr<FitOptions> preset = FindPreset(fit.preset());
    if (!preset.ok()) return FieldError("fit.preset", preset.status().message());
    options = *std::move(preset);
  }
  if (!fit.method().empty()) options.method = fit.method();
  if (fit.has_seed()) options.seed = fit.seed();
  absl::Status status =
      ApplyHyperparameters(fit.hyperparameters(), "fit.hyperparameters", &options);
  if (!status.ok()) return status;
  ApplyMethod(&options);
  return options;
}

// ValidateOptions names `method` as it names a hyperparameter.
absl::Status CheckOptions(const FitOptions& options, int dim) {
  const absl::Status status = ValidateOptions(options, dim);
  const bool about_method = absl::StartsWith(status.message(), "method: ");
  return AtField(about_method ? "fit" : "fit.hyperparameters", status);
}

}  // namespace

absl::StatusOr<FitPlan> PlanFit(const v1::Fit& request, DatasetStore* datasets) {
  FitPlan plan;
  plan.fit = InputFields(request);
  if (absl::Status status = CheckTexts(plan.fit); !status.ok()) return status;
  absl::StatusOr<FitOptions> options = RequestedOptions(plan.fit);
  if (!options.ok()) return options.status();
  plan.options = *std::move(options);
  absl::StatusOr<DatasetLease> lease = LeaseDatasetOf(plan.fit.target(), "fit.target", datasets);
  if (!lease.ok()) return lease.status();
  plan.lease = *std::move(lease);
  absl::StatusOr<std::unique_ptr<const Target>> target =
      BuildTarget(plan.fit.target(), "fit.target", datasets);
  if (!target.ok()) return target.status();
  plan.target = *std::move(target);
  const int dim = plan.target->dim();
  const std::string target_field = absl::StrCat("fit.target.", TargetName(plan.fit.target()));
  for (absl::Status status :
       {CheckOptions(plan.options, dim), CheckFitWork(plan.options, dim, target_field)}) {
    if (!status.ok()) return status;
  }
  plan.fit.set_method(plan.options.method);
  plan.fit.set_seed(plan.options.seed);
  *plan.fit.mutable_effective_hyperparameters() = ToHyperparameters(plan.options);
  plan.fit.set_dimension(plan.target->dim());
  for (std::string& name : plan.target->CoordinateNames()) {
    plan.fit.add_coordinate_names(std::move(name));
  }
  return plan;
}

absl::StatusOr<FitOptions> PlannedOptions(const v1::Fit& fit) {
  FitOptions options;
  options.method = fit.method();
  options.seed = fit.seed();
  absl::Status status = ApplyHyperparameters(fit.effective_hyperparameters(),
                                             "fit.effective_hyperparameters", &options);
  if (!status.ok()) return status;
  return options;
}

uint64_t RequestFingerprint(const v1::Fit& request) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    InputFields(request).SerializeToCodedStream(&coded);
  }
  return Fingerprint(bytes);
}

v1::Fit BasicView(const v1::Fit& fit) {
  v1::Fit basic = fit;
  StripArrays(basic.mutable_target());
  return basic;
}

}  // namespace aisivi::server
