#include "server/convert/target_spec.h"

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "server/convert/target_data.h"
#include "tests/server/bad_request.h"

namespace aisivi::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using test::Fields;
using ::testing::HasSubstr;
using ::testing::StartsWith;

v1::TargetSpec Spec(const std::string& text) {
  v1::TargetSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
  return spec;
}

// The kind of parameter that a field of a target's message can carry.
std::set<ParameterKind> KindsOf(const FieldDescriptor* field) {
  const bool message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (field->is_repeated()) return {message ? ParameterKind::kMatrixList : ParameterKind::kVector};
  if (message) return {ParameterKind::kMatrix};
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) return {ParameterKind::kNumber};
  return {ParameterKind::kInteger};
}

void SetParameter(const FieldDescriptor* field, const ParameterValue& value, Message* message) {
  const auto* reflection = message->GetReflection();
  if (const auto* number = std::get_if<double>(&value)) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
      reflection->SetInt32(message, field, static_cast<int>(*number));
    } else {
      reflection->SetDouble(message, field, *number);
    }
  } else if (const auto* vector = std::get_if<Eigen::VectorXd>(&value)) {
    for (const double entry : *vector) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
        reflection->AddInt32(message, field, static_cast<int>(entry));
      } else {
        reflection->AddDouble(message, field, entry);
      }
    }
  } else if (const auto* matrix = std::get_if<Eigen::MatrixXd>(&value)) {
    reflection->MutableMessage(message, field)->CopyFrom(ToMatrixMessage(*matrix));
  } else {
    for (const Eigen::MatrixXd& entry : std::get<std::vector<Eigen::MatrixXd>>(value)) {
      reflection->AddMessage(message, field)->CopyFrom(ToMatrixMessage(entry));
    }
  }
}

TEST(TargetSpecTest, EveryRegisteredTargetHasAMessageWithTheSameParameters) {
  const google::protobuf::Descriptor* spec = v1::TargetSpec::descriptor();
  std::set<std::string> messages, entries;
  for (int i = 0; i < spec->field_count(); ++i) messages.insert(spec->field(i)->name());
  for (const TargetEntry& entry : TargetRegistry()) {
    entries.insert(entry.name);
    const FieldDescriptor* field = spec->FindFieldByName(entry.name);
    ASSERT_NE(field, nullptr) << entry.name;
    ASSERT_NE(field->containing_oneof(), nullptr) << entry.name;
    const google::protobuf::Descriptor* message = field->message_type();
    int parameters = 0;
    for (int i = 0; i < message->field_count(); ++i) {
      parameters += SaysWhereDataAre(message->field(i)) ? 0 : 1;
    }
    EXPECT_EQ(parameters, static_cast<int>(entry.parameters.size())) << entry.name;
    // Who takes x and y takes a data set in their place, and can name its columns.
    const bool regression = message->FindFieldByName("x") != nullptr;
    EXPECT_EQ(TakesDataset(entry.name), regression) << entry.name;
    EXPECT_EQ(message->field_count() - parameters, regression ? 4 : 0) << entry.name;
    EXPECT_EQ(entry.name_columns != nullptr, regression) << entry.name;
    for (const ParameterDoc& parameter : entry.parameters) {
      const FieldDescriptor* found = message->FindFieldByName(parameter.name);
      ASSERT_NE(found, nullptr) << entry.name << "." << parameter.name;
      EXPECT_EQ(KindsOf(found).count(parameter.kind), 1u) << entry.name << "." << parameter.name;
      EXPECT_TRUE(found->is_repeated() || found->has_presence()) << found->full_name();
    }
  }
  // Not built in: the user's own.
  entries.insert({"stan", "remote"});
  EXPECT_EQ(messages, entries);
}

TEST(TargetSpecTest, EveryExampleArrivesUnchanged) {
  for (const TargetEntry& entry : TargetRegistry()) {
    v1::TargetSpec spec;
    const FieldDescriptor* field = v1::TargetSpec::descriptor()->FindFieldByName(entry.name);
    Message* message = spec.GetReflection()->MutableMessage(&spec, field);
    for (const auto& [name, value] : entry.example) {
      SetParameter(message->GetDescriptor()->FindFieldByName(name), value, message);
    }
    EXPECT_EQ(TargetName(spec), entry.name);
    const absl::StatusOr<TargetParameters> parameters = ToTargetParameters(spec, "target");
    ASSERT_TRUE(parameters.ok()) << parameters.status();
    EXPECT_EQ(*parameters, entry.example) << entry.name;
    EXPECT_TRUE(BuildTarget(spec, "target").ok()) << entry.name;
  }
}

TEST(TargetSpecTest, WhatIsNotSetIsLeftToTheEngine) {
  const auto parameters = ToTargetParameters(Spec("funnel {}"), "target");
  ASSERT_TRUE(parameters.ok());
  EXPECT_TRUE(parameters->empty());
  const auto zero = ToTargetParameters(Spec("conditioned_diffusion { beta: 0 }"), "target");
  ASSERT_TRUE(zero.ok());
  EXPECT_EQ(std::get<double>(zero->at("beta")), 0.0);
}

TEST(TargetSpecTest, MatricesAreRowMajor) {
  const auto matrix =
      ToMatrix(Spec("gaussian { covariance { rows: 2 columns: 3 values: [1, 2, 3, 4, 5, 6] } }")
                   .gaussian()
                   .covariance(),
               "m");
  ASSERT_TRUE(matrix.ok());
  EXPECT_EQ(*matrix, (Eigen::MatrixXd{{1, 2, 3}, {4, 5, 6}}));
  EXPECT_EQ(*ToMatrix(ToMatrixMessage(*matrix), "m"), *matrix);
}

TEST(TargetSpecTest, BadInputNamesItsField) {
  const struct {
    const char* spec;
    const char* message;
  } cases[] = {
      {"", "fit.target: is required"},
      {"gaussian { mean: [0, nan] }", "fit.target.gaussian.mean: entry 2"},
      {"gaussian { covariance { rows: 2 columns: 2 values: [1, 0, 0] } }",
       "fit.target.gaussian.covariance: is 2 x 2"},
      {"gaussian { covariance { rows: 2 columns: -2 } }", "fit.target.gaussian.covariance: needs"},
      {"gaussian { covariance { rows: 2000000000 columns: 2000000000 } }",
       "fit.target.gaussian.covariance: is 2000000000 x 2000000000"},
      {"gaussian { covariance { rows: 2 columns: 2 values: [1, 0, -inf, 1] } }",
       "fit.target.gaussian.covariance: row 2, column 1"},
      {"gaussian_mixture { covariances { rows: 1 columns: 1 values: 1 } covariances { rows: 1 } }",
       "fit.target.gaussian_mixture.covariances[1]: needs"},
      {"logistic_regression { prior_precision: inf }",
       "fit.target.logistic_regression.prior_precision: must be finite"},
      {"funnel { dimension: -1 }", "fit.target.funnel.dimension: "},
      {"gaussian { mean: 0 covariance { rows: 1 columns: 1 values: -1 } }",
       "fit.target.gaussian.covariance: "},
  };
  for (const auto& c : cases) {
    const absl::Status status = BuildTarget(Spec(c.spec), "fit.target").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.spec;
    EXPECT_THAT(std::string(status.message()), StartsWith(c.message));
  }
}

TEST(TargetSpecTest, AllParametersThatAreWrongAreNamed) {
  using ::testing::ElementsAre;
  // What cannot be converted.
  EXPECT_THAT(
      Fields(BuildTarget(Spec("gaussian { mean: [0, nan] covariance { rows: 2 } }"), "t").status()),
      ElementsAre("t.gaussian.mean", "t.gaussian.covariance"));
  // What the engine refuses.
  const absl::Status refused =
      BuildTarget(Spec("student_t { degrees_of_freedom: 0 dimension: -4 }"), "t").status();
  EXPECT_THAT(Fields(refused), ::testing::UnorderedElementsAre("t.student_t.degrees_of_freedom",
                                                               "t.student_t.dimension"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("; t.student_t."));
  EXPECT_THAT(Fields(BuildTarget(Spec("logistic_regression {}"), "t").status()),
              ElementsAre("t.logistic_regression.x", "t.logistic_regression.y"));
}

TEST(TargetSpecTest, StrippedSpecKeepsNumbersOnly) {
  v1::TargetSpec spec =
      Spec("logistic_regression { x { rows: 1 columns: 1 values: 1 } y: 1 prior_precision: 2 }");
  StripArrays(&spec);
  EXPECT_THAT(spec.ShortDebugString(), HasSubstr("logistic_regression { prior_precision: 2 }"));
  v1::TargetSpec none;
  StripArrays(&none);
  EXPECT_EQ(none.target_case(), v1::TargetSpec::TARGET_NOT_SET);
}

}  // namespace
}  // namespace aisivi::server
