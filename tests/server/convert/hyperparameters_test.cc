#include "server/convert/hyperparameters.h"

#include <cmath>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using google::protobuf::FieldDescriptor;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(HyperparametersTest, FieldsAreTheOptionsOfTheEngine) {
  const auto* descriptor = v1::Hyperparameters::descriptor();
  EXPECT_EQ(descriptor->field_count(), static_cast<int>(OptionTable().size()));
  for (const OptionDoc& option : OptionTable()) {
    const FieldDescriptor* field = descriptor->FindFieldByName(option.name);
    ASSERT_NE(field, nullptr) << option.name;
    EXPECT_TRUE(field->has_presence()) << option.name;
    constexpr FieldDescriptor::CppType kTypes[] = {
        FieldDescriptor::CPPTYPE_INT64, FieldDescriptor::CPPTYPE_DOUBLE,
        FieldDescriptor::CPPTYPE_BOOL, FieldDescriptor::CPPTYPE_STRING};
    EXPECT_EQ(field->cpp_type(), kTypes[option.member.index()]) << option.name;
  }
}

TEST(HyperparametersTest, EveryOptionSurvivesTheWayThereAndBack) {
  FitOptions options;
  options.points = 17;
  options.learning_rate = 0.25;
  options.linear_skip = false;
  options.sigma = "vector";
  options.latent = "uniform";
  options.time_limit = 0;
  const v1::Hyperparameters message = ToHyperparameters(options);
  for (int i = 0; i < v1::Hyperparameters::descriptor()->field_count(); ++i) {
    EXPECT_TRUE(
        message.GetReflection()->HasField(message, v1::Hyperparameters::descriptor()->field(i)));
  }
  FitOptions back;
  ASSERT_TRUE(ApplyHyperparameters(message, "h", &back).ok());
  EXPECT_EQ(back.points, 17);
  EXPECT_EQ(back.learning_rate, 0.25);
  EXPECT_FALSE(back.linear_skip);
  EXPECT_EQ(back.latent, "uniform");
  EXPECT_EQ(ToHyperparameters(back).SerializeAsString(), message.SerializeAsString());
}

// The comment above a field of hyperparameters.proto, on one line.
std::string Comment(const std::string& field) {
  std::ifstream file(std::string(AISIVI_SOURCE_DIR) + "/proto/aisivi/v1/hyperparameters.proto");
  std::string line, comment;
  while (std::getline(file, line)) {
    const size_t text = line.find("// ");
    if (text != std::string::npos) {
      comment += line.substr(text + 3) + " ";
    } else if (line.find(" " + field + " = ") != std::string::npos) {
      return comment;
    } else {
      comment.clear();
    }
  }
  return "";
}

std::string Text(const std::string& value) { return "\"" + value + "\""; }
std::string Text(bool value) { return value ? "true" : "false"; }
std::string Text(int64_t value) { return absl::StrCat(value); }
std::string Text(double value) {
  return value == std::round(value) ? Text(static_cast<int64_t>(value)) : absl::StrCat(value);
}

TEST(HyperparametersTest, CommentsTellRangesChoicesAndDefaults) {
  for (const OptionDoc& option : OptionTable()) {
    const std::string comment = Comment(option.name);
    std::visit(
        [&](const auto& member) {
          EXPECT_THAT(comment, HasSubstr("Default " + Text(FitOptions().*member) + "."))
              << option.name;
        },
        option.member);
    if (option.min < option.max) {
      EXPECT_THAT(comment, HasSubstr("From " + Text(option.min) + " to " + Text(option.max) + "."))
          << option.name;
    }
    for (const std::string& choice : option.choices) {
      EXPECT_THAT(comment, HasSubstr(Text(choice))) << option.name;
    }
  }
}

TEST(HyperparametersTest, UnsetFieldsLeaveOptionsAlone) {
  FitOptions options;
  options.points = 99;
  v1::Hyperparameters message;
  message.set_chunks(3);
  ASSERT_TRUE(ApplyHyperparameters(message, "h", &options).ok());
  EXPECT_EQ(options.points, 99);
  EXPECT_EQ(options.chunks, 3);
}

TEST(HyperparametersTest, BadValuesNameTheirField) {
  FitOptions options;
  v1::Hyperparameters message;
  message.set_inner_samples(0);
  absl::Status status = ApplyHyperparameters(message, "fit.hyperparameters", &options);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), StartsWith("fit.hyperparameters.inner_samples: "));
  message.Clear();
  message.set_latent("cauchy");
  status = ApplyHyperparameters(message, "fit.hyperparameters", &options);
  EXPECT_THAT(std::string(status.message()), StartsWith("fit.hyperparameters.latent: "));
}

}  // namespace
}  // namespace aisivi::server
