#include "server/jobs/fit_plan.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "server/convert/engine_info.h"
#include "server/convert/settings.h"
#include "server/convert/target_data.h"
#include "server/convert/target_spec.h"
#include "server/convert/variables.h"
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
  if (request.has_method()) *fit.mutable_method() = request.method();
  fit.set_preset(request.preset());
  if (request.has_schedule()) *fit.mutable_schedule() = request.schedule();
  if (request.has_family()) *fit.mutable_family() = request.family();
  if (request.has_proposal()) *fit.mutable_proposal() = request.proposal();
  if (request.has_start()) *fit.mutable_start() = request.start();
  if (request.has_evidence_settings()) {
    *fit.mutable_evidence_settings() = request.evidence_settings();
  }
  if (request.has_expire_time()) *fit.mutable_expire_time() = request.expire_time();
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

// A time of google.protobuf.Timestamp: of the years 1 to 9999.
absl::Status CheckTime(absl::string_view field, const google::protobuf::Timestamp& time) {
  constexpr int64_t kFirst = -62'135'596'800, kEnd = 253'402'300'800;  // 0001-01-01, 10000-01-01
  if (time.seconds() >= kFirst && time.seconds() < kEnd && time.nanos() >= 0 &&
      time.nanos() < 1'000'000'000) {
    return absl::OkStatus();
  }
  return FieldError(field, "is not a well formed time");
}

// A text that is looked up, and repeated when there is no such name.
absl::Status CheckName(absl::string_view field, absl::string_view name) {
  if (name.size() <= kMaxName && !HasControlCharacters(name)) return absl::OkStatus();
  return FieldError(field, absl::StrCat("there is no ", Quoted(name)));
}

// The options of a request as far as they can be read; what is wrong goes to `errors`.
FitOptions RequestedOptions(const v1::Fit& fit, std::vector<absl::Status>* errors) {
  FitOptions options;
  if (!fit.preset().empty()) {
    absl::Status status = CheckName("fit.preset", fit.preset());
    if (status.ok()) {
      absl::StatusOr<FitOptions> preset = FindPreset(fit.preset());
      if (preset.ok()) {
        options = *std::move(preset);
      } else {
        status = FieldError("fit.preset", preset.status().message());
      }
    }
    errors->push_back(status);
  }
  if (fit.has_seed()) options.seed = fit.seed();
  for (absl::Status& status : ApplySettings(fit, "fit", &options)) {
    errors->push_back(std::move(status));
  }
  ApplyMethod(&options);
  return options;
}

// The engine names an option alone.
absl::Status AtOption(const FitOptions& options, const absl::Status& error) {
  const std::string message(error.message());
  const size_t name = message.find(": ");
  if (name == std::string::npos) return FieldError("fit", message);
  const std::string path = SettingPath(options.method, message.substr(0, name));
  return FieldError(absl::StrCat("fit.", path), message.substr(name + 2));
}

// How much work is asked for can be told when each option is right.
absl::Status CheckOptions(const FitOptions& options, int dim, absl::string_view target_field) {
  std::vector<absl::Status> errors;
  for (const absl::Status& error : InvalidOptions(options, dim)) {
    errors.push_back(AtOption(options, error));
  }
  if (errors.empty()) return CheckFitWork(options, dim, target_field);
  errors.push_back(CheckFitDimension(dim, target_field));
  return AllErrors(errors);
}

}  // namespace

std::vector<absl::Status> CheckChangeable(const v1::Fit& fit) {
  std::vector<absl::Status> errors = {CheckText("fit.display_name", fit.display_name()),
                                      CheckTime("fit.expire_time", fit.expire_time())};
  if (fit.labels().size() > kMaxLabels) {
    errors.push_back(
        FieldError("fit.labels", absl::StrCat("has more than ", kMaxLabels, " entries")));
    return errors;
  }
  for (const auto& [key, value] : fit.labels()) {
    errors.push_back(IsLabelKey(key)
                         ? CheckText(absl::StrCat("fit.labels.", key), value)
                         : FieldError("fit.labels", "keys must match [a-z][a-z0-9_-]{0,62}"));
  }
  return errors;
}

absl::StatusOr<FitPlan> PlanFit(const v1::Fit& request, const TargetSources& sources) {
  FitPlan plan;
  plan.fit = InputFields(request);
  std::vector<absl::Status> errors = CheckChangeable(plan.fit);
  plan.options = RequestedOptions(plan.fit, &errors);
  absl::StatusOr<DatasetLease> lease =
      LeaseDatasetOf(plan.fit.target(), "fit.target", sources.datasets);
  errors.push_back(lease.status());
  if (!lease.ok()) return AllErrors(errors);
  plan.lease = *std::move(lease);
  // A compiler is not started for a fit that cannot be.
  if (plan.fit.target().has_stan()) {
    if (absl::Status status = AllErrors(errors); !status.ok()) return status;
  }
  absl::StatusOr<std::unique_ptr<const Target>> target =
      BuildTarget(plan.fit.target(), "fit.target", sources);
  errors.push_back(target.status());
  if (target.ok()) {
    errors.push_back(CompleteTarget("fit.target", sources, plan.fit.mutable_target()));
  }
  if (absl::Status status = AllErrors(errors); !status.ok()) return status;
  plan.target = *std::move(target);
  const int dim = plan.target->dim();
  const std::string target_field = absl::StrCat("fit.target.", TargetName(plan.fit.target()));
  if (absl::Status status = CheckOptions(plan.options, dim, target_field); !status.ok()) {
    return status;
  }
  plan.fit.set_seed(plan.options.seed);
  *plan.fit.mutable_effective_settings() = ToSettings(plan.options);
  *plan.fit.mutable_engine() = ThisEngine();
  plan.fit.set_dimension(plan.target->dim());
  for (std::string& name : plan.target->CoordinateNames()) {
    plan.fit.add_coordinate_names(std::move(name));
  }
  AppendVariables(plan.target->Variables(), plan.fit.mutable_variables());
  return plan;
}

absl::StatusOr<FitOptions> PlannedOptions(const v1::Fit& fit) {
  if (!fit.has_effective_settings()) {
    return absl::FailedPreconditionError(
        "was stored by an earlier version, whose settings this one cannot read");
  }
  FitOptions options;
  options.seed = fit.seed();
  const absl::Status status =
      AllErrors(ApplySettings(fit.effective_settings(), "fit.effective_settings", &options));
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

v1::Fit WithoutArrays(const v1::Fit& fit) {
  v1::Fit stripped = fit;
  StripArrays(stripped.mutable_target());
  return stripped;
}

}  // namespace aisivi::server
