#include "engine/targets/renamed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/transforms/names.h"
#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

TEST(RenamedTest, OnlyTheNamesAreOthers) {
  const Eigen::MatrixXd z = test::RandomMatrix(2, 5, 1.0, 1);
  Eigen::VectorXd expected, value;
  Eigen::MatrixXd expected_score, score;
  ASSERT_TRUE(test::Make("banana", {})->Evaluate(z, &expected, &expected_score).ok());
  const auto target = Renamed(test::Make("banana", {}), {{"z", {2}, {"a", "b c"}, false}});
  EXPECT_EQ(target->dim(), 2);
  EXPECT_EQ(target->CoordinateNames(), (std::vector<std::string>{"z[a]", "z[b c]"}));
  EXPECT_EQ(ElementNames(target->Variables()), target->CoordinateNames());
  Eigen::MatrixXd shown;
  ASSERT_TRUE(target->Constrain(z, 0, 0, &shown).ok());
  EXPECT_EQ(shown, z);
  ASSERT_TRUE(target->Evaluate(z, &value, &score).ok());
  EXPECT_EQ(value, expected);
  EXPECT_EQ(score, expected_score);
  EXPECT_FALSE(target->Evaluate(test::RandomMatrix(3, 1, 1.0, 1), &value, nullptr).ok());
}

// One name per coordinate, no two alike, and every column's in some.
TEST(RenamedTest, NamesOfColumnsAreUniqueForEveryTargetThatHasThem) {
  int having = 0;
  for (const TargetEntry& entry : TargetRegistry()) {
    if (entry.name_columns == nullptr) continue;
    ++having;
    const auto target = test::Make(entry.name, entry.example);
    std::vector<std::string> columns;
    const auto& x = std::get<Eigen::MatrixXd>(entry.example.at("x"));
    for (Eigen::Index c = 0; c < x.cols(); ++c) columns.push_back(absl::StrCat("column ", c));
    const auto renamed =
        Renamed(test::Make(entry.name, entry.example), entry.name_columns(*target, columns));
    const std::vector<std::string> names = renamed->CoordinateNames();
    const std::vector<std::string> shown = ElementNames(renamed->Variables());
    ASSERT_EQ(static_cast<int>(names.size()), target->dim()) << entry.name;
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    for (const std::string& column : columns) {
      const auto found = std::count_if(names.begin(), names.end(), [&](const std::string& name) {
        return name.find(column + "]") != std::string::npos;
      });
      EXPECT_GT(found, 0) << entry.name << " " << column;
    }
    // What is no column's keeps its name.
    const std::vector<std::string> plain = target->CoordinateNames();
    for (size_t d = 0; d < names.size(); ++d) {
      if (names[d].find("column") == std::string::npos) {
        EXPECT_EQ(names[d], plain[d]);
      } else {
        EXPECT_EQ(names[d], shown[d]);
      }
    }
  }
  EXPECT_EQ(having, 4);
}

}  // namespace
}  // namespace aisivi
