#include "server/convert/settings.h"

#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/methods/methods.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The messages with fields that are options: the groups, and the methods.
std::vector<const google::protobuf::Descriptor*> SettingsMessages() {
  std::vector<const google::protobuf::Descriptor*> messages;
  const auto add = [&](const google::protobuf::Descriptor* parent, int first) {
    for (int i = first; i < parent->field_count(); ++i) {
      messages.push_back(parent->field(i)->message_type());
    }
  };
  add(v1::FitSettings::descriptor(), 1);  // after the method
  add(v1::MethodSpec::descriptor(), 0);
  return messages;
}

const OptionDoc* FindOption(const std::string& name) {
  for (const OptionDoc& option : OptionTable()) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

std::string Choice(const EnumDescriptor* type, int i) {
  return absl::AsciiStrToLower(type->value(i)->name().substr(type->value(0)->name().size() -
                                                             std::string("UNSPECIFIED").size()));
}

void ExpectSameKind(const OptionDoc& option, const FieldDescriptor* field) {
  EXPECT_TRUE(field->has_presence()) << option.name;
  if (option.member.index() == 3) {
    ASSERT_EQ(field->cpp_type(), FieldDescriptor::CPPTYPE_ENUM) << option.name;
    std::set<std::string> choices;
    for (int i = 1; i < field->enum_type()->value_count(); ++i) {
      choices.insert(Choice(field->enum_type(), i));
    }
    EXPECT_EQ(choices, std::set<std::string>(option.choices.begin(), option.choices.end()));
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    EXPECT_EQ(field->message_type()->full_name(), "google.protobuf.Duration") << option.name;
    EXPECT_EQ(option.member.index(), 1u) << option.name;
  } else {
    constexpr FieldDescriptor::CppType kTypes[] = {FieldDescriptor::CPPTYPE_INT64,
                                                   FieldDescriptor::CPPTYPE_DOUBLE,
                                                   FieldDescriptor::CPPTYPE_BOOL};
    EXPECT_EQ(field->cpp_type(), kTypes[option.member.index()]) << option.name;
  }
}

TEST(SettingsTest, FieldsAreTheOptionsOfTheEngine) {
  std::set<std::string> fields;
  for (const google::protobuf::Descriptor* message : SettingsMessages()) {
    for (int i = 0; i < message->field_count(); ++i) {
      const OptionDoc* option = FindOption(message->field(i)->name());
      ASSERT_NE(option, nullptr) << message->field(i)->full_name();
      ExpectSameKind(*option, message->field(i));
      fields.insert(option->name);
    }
  }
  for (const OptionDoc& option : OptionTable())
    EXPECT_EQ(fields.count(option.name), 1u) << option.name;
}

// A client may look a setting up by its name alone.
TEST(SettingsTest, NoNameStandsInTwoPlacesOfAFit) {
  for (int m = 0; m < v1::MethodSpec::descriptor()->field_count(); ++m) {
    std::map<std::string, int> count;
    const auto add = [&](const google::protobuf::Descriptor* message) {
      for (int i = 0; i < message->field_count(); ++i) ++count[message->field(i)->name()];
    };
    add(v1::MethodSpec::descriptor()->field(m)->message_type());
    for (int g = 1; g < v1::FitSettings::descriptor()->field_count(); ++g) {
      add(v1::FitSettings::descriptor()->field(g)->message_type());
    }
    for (const auto& [name, times] : count) EXPECT_EQ(times, 1) << name;
  }
}

TEST(SettingsTest, MethodsAreThoseOfTheEngine) {
  std::set<std::string> fields, names;
  for (int i = 0; i < v1::MethodSpec::descriptor()->field_count(); ++i) {
    fields.insert(v1::MethodSpec::descriptor()->field(i)->name());
  }
  for (const MethodEntry& method : MethodRegistry()) names.insert(method.name);
  EXPECT_EQ(fields, names);
}

// A fit can be given the groups that its effective settings have.
TEST(SettingsTest, AFitHasTheSameGroups) {
  for (int i = 0; i < v1::FitSettings::descriptor()->field_count(); ++i) {
    const FieldDescriptor* group = v1::FitSettings::descriptor()->field(i);
    const FieldDescriptor* same = v1::Fit::descriptor()->FindFieldByName(group->name());
    ASSERT_NE(same, nullptr) << group->name();
    EXPECT_EQ(same->message_type(), group->message_type());
  }
}

FitOptions Unusual() {
  FitOptions options;
  options.method = "ksivi";
  options.points = 17;
  options.learning_rate = 0.25;
  options.linear_skip = false;
  options.sigma = "vector";
  options.latent = "uniform";
  options.kernel = "laplace";
  options.time_limit = 12.000000001;
  return options;
}

TEST(SettingsTest, EveryOptionSurvivesTheWayThereAndBack) {
  const v1::FitSettings message = ToSettings(Unusual());
  EXPECT_EQ(MethodName(message.method()), "ksivi");
  for (int g = 1; g < v1::FitSettings::descriptor()->field_count(); ++g) {
    const FieldDescriptor* group = v1::FitSettings::descriptor()->field(g);
    const auto& settings = message.GetReflection()->GetMessage(message, group);
    for (int i = 0; i < group->message_type()->field_count(); ++i) {
      EXPECT_TRUE(settings.GetReflection()->HasField(settings, group->message_type()->field(i)));
    }
  }
  EXPECT_TRUE(message.method().ksivi().has_v_statistic());
  FitOptions back;
  ASSERT_TRUE(ApplySettings(message, "s", &back).empty());
  EXPECT_EQ(back.method, "ksivi");
  EXPECT_EQ(back.points, 17);
  EXPECT_EQ(back.learning_rate, 0.25);
  EXPECT_FALSE(back.linear_skip);
  EXPECT_EQ(back.latent, "uniform");
  EXPECT_EQ(back.kernel, "laplace");
  EXPECT_EQ(back.time_limit, 12.000000001);
  EXPECT_EQ(ToSettings(back).SerializeAsString(), message.SerializeAsString());
}

TEST(SettingsTest, PathsLeadToTheFields) {
  EXPECT_EQ(SettingPath("aisivi", "points"), "schedule.points");
  EXPECT_EQ(SettingPath("aisivi", "inner_samples"), "method.aisivi.inner_samples");
  EXPECT_EQ(SettingPath("uivi", "inner_samples"), "method");
  EXPECT_EQ(SettingPath("none", "none"), "method");
}

// The comments above the fields called `field` in settings.proto, each on one line.
std::vector<std::string> Comments(const std::string& field) {
  std::ifstream file(std::string(AISIVI_SOURCE_DIR) + "/proto/aisivi/v1/settings.proto");
  std::vector<std::string> comments;
  std::string line, comment;
  while (std::getline(file, line)) {
    const size_t text = line.find("// ");
    if (text != std::string::npos) {
      comment += line.substr(text + 3) + " ";
      continue;
    }
    if (line.find(" " + field + " = ") != std::string::npos) comments.push_back(comment);
    comment.clear();
  }
  return comments;
}

std::string Text(bool value) { return value ? "true" : "false"; }
std::string Text(int64_t value) { return absl::StrCat(value); }
std::string Text(double value) {
  return value == std::round(value) ? Text(static_cast<int64_t>(value)) : absl::StrCat(value);
}
std::string Text(const std::string& value) { return "_" + absl::AsciiStrToUpper(value); }

TEST(SettingsTest, CommentsTellRangesAndDefaults) {
  for (const OptionDoc& option : OptionTable()) {
    const std::vector<std::string> comments = Comments(option.name);
    ASSERT_FALSE(comments.empty()) << option.name;
    int told = 0;
    for (const std::string& comment : comments) {
      if (absl::StartsWith(comment, "As in ")) continue;
      ++told;
      std::visit(
          [&](const auto& member) {
            EXPECT_THAT(comment, HasSubstr("Default ")) << option.name;
            EXPECT_THAT(comment, HasSubstr(Text(FitOptions().*member) + ".")) << option.name;
          },
          option.member);
      if (option.min < option.max) {
        EXPECT_THAT(comment, HasSubstr("From " + Text(option.min) + " to " + Text(option.max)))
            << option.name;
      }
    }
    EXPECT_GE(told, 1) << option.name;
  }
}

TEST(SettingsTest, UnsetFieldsLeaveOptionsAlone) {
  FitOptions options;
  options.points = 99;
  v1::FitSettings message;
  message.mutable_method()->mutable_bsivi()->set_chunks(3);
  message.mutable_start()->set_warm_start(v1::WARM_START_UNSPECIFIED);
  ASSERT_TRUE(ApplySettings(message, "s", &options).empty());
  EXPECT_EQ(options.method, "bsivi");
  EXPECT_EQ(options.points, 99);
  EXPECT_EQ(options.chunks, 3);
  EXPECT_EQ(options.warm_start, FitOptions().warm_start);
}

TEST(SettingsTest, EveryBadValueNamesItsField) {
  FitOptions options;
  v1::FitSettings message;
  message.mutable_method()->mutable_aisivi()->set_inner_samples(0);
  message.mutable_schedule()->set_learning_rate(std::nan(""));
  message.mutable_schedule()->mutable_time_limit()->set_nanos(2'000'000'000);
  message.mutable_family()->set_latent(static_cast<v1::Latent>(77));
  message.mutable_schedule()->set_points(5);
  const std::vector<absl::Status> errors = ApplySettings(message, "fit", &options);
  const std::vector<std::string> fields = {
      "fit.method.aisivi.inner_samples: ", "fit.schedule.learning_rate: ",
      "fit.schedule.time_limit: ", "fit.family.latent: "};
  ASSERT_EQ(errors.size(), fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    EXPECT_EQ(errors[i].code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(errors[i].message()), StartsWith(fields[i]));
  }
  EXPECT_EQ(options.points, 5);
}

}  // namespace
}  // namespace aisivi::server
