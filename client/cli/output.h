// What the commands print of fits, evidence and errors.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "aisivi/v1/fit.pb.h"

namespace aisivi::cli {

// One line of Protobuf JSON, lowerCamelCase names, fields with default values included.
absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message);

// Prints ToJson() and a newline, and flushes.
absl::Status PrintJson(const google::protobuf::Message& message);

// Makes every text in `message`, at any depth, Printable() (client/cli/terminal.h): for messages of
// a server whose texts are shown as they are.
void MakePrintable(google::protobuf::Message* message);

// Prints text to standard output. An error when it cannot be written.
absl::Status Print(const std::string& text);

// The error on one line: "CODE: message", Printable().
std::string OneLine(const absl::Status& status);

// The same, but where the message has lines of its own (a compiler's, whose caret stands below what
// it points at) these are kept.
std::string Lines(const absl::Status& status);

std::string TargetName(const v1::Fit& fit);           // "banana"
std::string StateName(v1::Fit::State state);          // "running"
std::string PhaseName(v1::FitProgress::Phase phase);  // "training"
// State with its reason, coloured: "succeeded (converged)".
std::string Outcome(const v1::Fit& fit);
// Between start and end (or now); NaN before the start.
double RunSeconds(const v1::Fit& fit);

// "mu, tau, theta[8] (derived)": names and shapes, the first twenty.
std::string DescribeVariables(const google::protobuf::RepeatedPtrField<v1::Variable>& variables);

// The lines people read about a fit: what it is, how it ended, what it is worth.
std::string DescribeFit(v1::Fit fit);
// The lines people read about its evidence, without the verdict, indented by two spaces.
std::string DescribeEvidence(const v1::LogEvidence& evidence);

}  // namespace aisivi::cli
