#include "client/cli/output.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "client/cli/terminal.h"
#include "client/cli/verdict_view.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string Words(const std::string& enumerator) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(enumerator), {{"_", " "}});
}

std::string Line(const std::string& label, const std::string& value) {
  const std::string padded = label + std::string(std::max(1, 15 - DisplayWidth(label)), ' ');
  return absl::StrCat("  ", Styled(Style::kDim, padded), value, "\n");
}

std::string WithError(double value, double error) {
  const int decimals = DecimalsFor(error);
  return absl::StrCat(FormatFixed(value, decimals), " ± ", FormatFixed(error, decimals));
}

// "ELBO -1.203, -1.198, -1.201; R̂ 1.002".
std::string Restarts(const v1::Fit& fit) {
  std::vector<std::string> elbos;
  for (const double elbo : fit.restart_elbo()) elbos.push_back(FormatFixed(elbo, 3));
  return absl::StrCat("ELBO ", absl::StrJoin(elbos, ", "), "; R̂ ",
                      FormatFixed(fit.has_r_hat() ? fit.r_hat() : kNaN, 3));
}

// "owner=ann, team=blue", in order.
std::string Labels(const v1::Fit& fit) {
  std::vector<std::string> labels;
  for (const auto& [key, value] : fit.labels()) labels.push_back(absl::StrCat(key, "=", value));
  std::sort(labels.begin(), labels.end());
  return absl::StrJoin(labels, ", ");
}

}  // namespace

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return absl::InternalError(std::string(status.message()));
  return json;
}

absl::Status PrintJson(const google::protobuf::Message& message) {
  const absl::StatusOr<std::string> json = ToJson(message);
  return json.ok() ? Print(*json + "\n") : json.status();
}

void MakePrintable(google::protobuf::Message* message) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection* reflection = message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool text = field->type() == FieldDescriptor::TYPE_STRING;
    if (!text && field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection->FieldSize(*message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (text && field->is_repeated()) {
        reflection->SetRepeatedString(message, field, i,
                                      Printable(reflection->GetRepeatedString(*message, field, i)));
      } else if (text) {
        reflection->SetString(message, field, Printable(reflection->GetString(*message, field)));
      } else {
        MakePrintable(field->is_repeated() ? reflection->MutableRepeatedMessage(message, field, i)
                                           : reflection->MutableMessage(message, field));
      }
    }
  }
}

absl::Status Print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return absl::DataLossError("standard output cannot be written");
  }
  return absl::OkStatus();
}

std::string OneLine(const absl::Status& status) {
  return Printable(absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message()));
}

std::string TargetName(const v1::Fit& fit) {
  const v1::TargetSpec& target = fit.target();
  const auto* field = target.GetReflection()->GetOneofFieldDescriptor(
      target, v1::TargetSpec::descriptor()->oneof_decl(0));
  return field == nullptr ? "-" : field->name();
}

std::string StateName(v1::Fit::State state) { return Words(ShortName(state)); }

std::string PhaseName(v1::FitProgress::Phase phase) { return Words(ShortName(phase)); }

std::string Outcome(const v1::Fit& fit) {
  std::string text = StateName(fit.state());
  if (fit.termination_reason() != v1::Fit::TERMINATION_REASON_UNSPECIFIED &&
      fit.state() != v1::Fit::STATE_CANCELLED) {
    absl::StrAppend(&text, " (", Words(ShortName(fit.termination_reason())), ")");
  }
  if (fit.state() == v1::Fit::STATE_SUCCEEDED) return Styled(Style::kGreen, text);
  if (fit.state() == v1::Fit::STATE_FAILED) return Styled(Style::kRed, text);
  return Styled(Style::kYellow, text);
}

double RunSeconds(const v1::Fit& fit) {
  if (!fit.has_start_time()) return kNaN;
  const absl::Time end = fit.has_end_time() ? ToTime(fit.end_time()) : absl::Now();
  return absl::ToDoubleSeconds(end - ToTime(fit.start_time()));
}

std::string DescribeEvidence(const v1::LogEvidence& evidence) {
  const auto value = [](bool has, double number) { return has ? number : kNaN; };
  if (!evidence.has_log_z() && !evidence.has_elbo_lower()) return Line("log evidence", "-");
  std::string text = Line(
      "log evidence", WithError(value(evidence.has_log_z(), evidence.log_z()),
                                value(evidence.has_standard_error(), evidence.standard_error())));
  if (!evidence.has_elbo_lower()) {
    // Of a sampler.
    absl::StrAppend(&text, Line("draws", absl::StrFormat("%d, worth %.0f independent ones",
                                                         evidence.draws(), evidence.ess())));
    return text;
  }
  const double lower_se = value(evidence.has_elbo_lower_se(), evidence.elbo_lower_se());
  const double upper_se = value(evidence.has_elbo_upper_se(), evidence.elbo_upper_se());
  absl::StrAppend(&text, Line("ELBO between", WithError(evidence.elbo_lower(), lower_se)),
                  Line("         and", WithError(evidence.elbo_upper(), upper_se)));
  absl::StrAppend(
      &text,
      Line("weights",
           absl::StrFormat("ESS %.0f of %d draws (K = %d), Pareto k̂ %s", evidence.ess(),
                           evidence.draws(), evidence.inner_samples(),
                           FormatFixed(value(evidence.has_pareto_k(), evidence.pareto_k()), 2))));
  return text;
}

std::string DescribeFit(v1::Fit fit) {
  MakePrintable(&fit);
  const double seconds = RunSeconds(fit);
  std::string text = absl::StrCat(Styled(Style::kBold, fit.name()), "  ", Outcome(fit));
  if (std::isfinite(seconds)) {
    absl::StrAppend(&text, fit.has_end_time() ? " in " : " for ", FormatSeconds(seconds));
  }
  text += "\n";
  std::string what = TargetName(fit);
  if (fit.dimension() > 0) absl::StrAppend(&what, ", ", fit.dimension(), " dimensions");
  absl::StrAppend(&text, Line("target", what));
  const std::string preset = fit.preset().empty() ? "" : absl::StrCat(", preset ", fit.preset());
  absl::StrAppend(&text, Line("method", absl::StrCat(MethodName(fit), preset, ", seed ",
                                                     fit.has_seed() ? fit.seed() : 1)));
  if (fit.state() == v1::Fit::STATE_RUNNING) {
    absl::StrAppend(&text,
                    Line("now", absl::StrFormat("%s %d of %d", PhaseName(fit.progress().phase()),
                                                fit.progress().iteration(),
                                                fit.progress().total_iterations())));
  }
  if (!fit.display_name().empty()) absl::StrAppend(&text, Line("called", fit.display_name()));
  if (fit.labels_size() > 0) absl::StrAppend(&text, Line("labels", Labels(fit)));
  if (fit.has_expire_time()) {
    absl::StrAppend(&text,
                    Line("expires", absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(fit.expire_time()),
                                                     absl::LocalTimeZone())));
  }
  if (!fit.message().empty()) absl::StrAppend(&text, Line("ended", fit.message()));
  if (fit.has_error()) absl::StrAppend(&text, Line("error", fit.error().message()));
  if (fit.restart_elbo_size() > 0) absl::StrAppend(&text, Line("restarts", Restarts(fit)));
  if (fit.has_evidence()) absl::StrAppend(&text, DescribeEvidence(fit.evidence()));
  if (fit.has_evidence() && fit.target().remote().unnormalised()) {
    absl::StrAppend(&text, Line("", "relative: the density is known up to a constant only"));
  }
  if (fit.has_known_log_z()) {
    absl::StrAppend(&text, Line("true log Z", FormatNumber(fit.known_log_z())));
  }
  absl::StrAppend(&text, DescribeVerdict(fit.verdict()));
  return text;
}

}  // namespace aisivi::cli
