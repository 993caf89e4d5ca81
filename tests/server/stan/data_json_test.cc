#include "server/stan/data_json.h"

#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Value {
  bool is_int = false;
  std::vector<uint64_t> sizes;
  std::vector<double> numbers;
};

// Reads the form of host/wire.h by itself.
class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}
  std::map<std::string, Value> Read() {
    std::map<std::string, Value> values;
    for (uint64_t left = Next<uint64_t>(); left > 0; --left) {
      Value value;
      value.is_int = Next<uint64_t>() == 1;
      const auto name = Next<uint64_t>(), sizes = Next<uint64_t>(), numbers = Next<uint64_t>();
      const std::string text = bytes_.substr(at_, name);
      at_ += (name + 7) / 8 * 8;
      for (uint64_t i = 0; i < sizes; ++i) value.sizes.push_back(Next<uint64_t>());
      for (uint64_t i = 0; i < numbers; ++i) {
        value.numbers.push_back(value.is_int ? static_cast<double>(Next<int64_t>())
                                             : Next<double>());
      }
      values[text] = value;
    }
    EXPECT_EQ(at_, bytes_.size());
    return values;
  }

 private:
  template <typename Number>
  Number Next() {
    Number number{};
    if (at_ + sizeof(number) <= bytes_.size()) {
      std::memcpy(&number, bytes_.data() + at_, sizeof(number));
    } else {
      ADD_FAILURE() << "ends too early";
    }
    at_ += sizeof(number);
    return number;
  }

  const std::string bytes_;
  size_t at_ = 0;
};

std::map<std::string, Value> Encoded(const std::string& json) {
  const absl::StatusOr<std::string> bytes = EncodeStanData(json);
  EXPECT_TRUE(bytes.ok()) << json << ": " << bytes.status();
  return bytes.ok() ? Reader(*bytes).Read() : std::map<std::string, Value>();
}

std::string EncodingError(const std::string& json) {
  return std::string(EncodeStanData(json).status().message());
}

TEST(DataJsonTest, NumbersAndArrays) {
  auto data = Encoded(R"({"N": 3, "alpha": 0.5, "y": [1.5, 2, -3], "n": [1, -2], "one": 1.0})");
  EXPECT_TRUE(data["N"].is_int);
  EXPECT_THAT(data["N"].sizes, IsEmpty());
  EXPECT_THAT(data["N"].numbers, ElementsAre(3));
  EXPECT_FALSE(data["alpha"].is_int);
  EXPECT_THAT(data["alpha"].numbers, ElementsAre(0.5));
  EXPECT_FALSE(data["y"].is_int);
  EXPECT_THAT(data["y"].sizes, ElementsAre(3));
  EXPECT_THAT(data["y"].numbers, ElementsAre(1.5, 2, -3));
  EXPECT_TRUE(data["n"].is_int);
  EXPECT_THAT(data["n"].numbers, ElementsAre(1, -2));
  EXPECT_FALSE(data["one"].is_int);
}

TEST(DataJsonTest, TheFirstIndexRunsFastest) {
  auto data = Encoded(R"({"x": [[1, 2, 3], [4, 5, 6]],
                          "a": [[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 10], [11, 12]]]})");
  EXPECT_THAT(data["x"].sizes, ElementsAre(2, 3));
  EXPECT_THAT(data["x"].numbers, ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(data["a"].sizes, ElementsAre(3, 2, 2));
  EXPECT_THAT(data["a"].numbers, ElementsAre(1, 5, 9, 3, 7, 11, 2, 6, 10, 4, 8, 12));
}

TEST(DataJsonTest, EmptyArraysAndNoData) {
  auto data = Encoded(R"({"a": [], "b": [[], []], "c": [[[]]]})");
  EXPECT_TRUE(data["a"].is_int);
  EXPECT_THAT(data["a"].sizes, ElementsAre(0));
  EXPECT_THAT(data["b"].sizes, ElementsAre(2, 0));
  EXPECT_THAT(data["c"].sizes, ElementsAre(1, 1, 0));
  for (const char* nothing : {"", " \n", "{}"}) EXPECT_THAT(Encoded(nothing), IsEmpty());
}

TEST(DataJsonTest, WhatIsNotFinite) {
  auto data = Encoded(R"({"x": ["NaN", "Inf", "-Inf", "+Inf", "Infinity", "-Infinity", 1],
                          "y": [NaN, Infinity, -Infinity, Inf, -Inf, -1], "NaN": 2, "a\"NaN": 3})");
  const std::vector<double>& x = data["x"].numbers;
  ASSERT_EQ(x.size(), 7u);
  EXPECT_TRUE(std::isnan(x[0]));
  EXPECT_EQ(x[1], INFINITY);
  EXPECT_EQ(x[2], -INFINITY);
  EXPECT_EQ(x[5], -INFINITY);
  EXPECT_FALSE(data["x"].is_int);
  const std::vector<double>& y = data["y"].numbers;
  ASSERT_EQ(y.size(), 6u);
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(y[1], INFINITY);
  EXPECT_EQ(y[4], -INFINITY);
  EXPECT_EQ(y[5], -1);
  EXPECT_THAT(data["NaN"].numbers, ElementsAre(2));
  EXPECT_THAT(data["a\"NaN"].numbers, ElementsAre(3));
}

TEST(DataJsonTest, WholeNumbersBeyondAnIntAreReal) {
  auto data = Encoded(
      R"({"a": 2147483647, "b": 2147483648, "c": -2147483648, "d": -2147483649, "e": 1e3})");
  EXPECT_TRUE(data["a"].is_int);
  EXPECT_FALSE(data["b"].is_int);
  EXPECT_THAT(data["b"].numbers, ElementsAre(2147483648.0));
  EXPECT_TRUE(data["c"].is_int);
  EXPECT_FALSE(data["d"].is_int);
  EXPECT_FALSE(data["e"].is_int);
}

TEST(DataJsonTest, ErrorsNameTheVariable) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"y": [1, [2]]})", "variable \"y\" is ragged"},
      {R"({"y": [[1], 2]})", "variable \"y\" is ragged"},
      {R"({"y": [[1, 2], [3]]})", "variable \"y\" is ragged"},
      {R"({"y": [[], [1]]})", "variable \"y\" is ragged"},
      {R"({"y": [[[]], [1]]})", "variable \"y\" is ragged"},
      {R"({"x": 1, "y": null})", "variable \"y\" is null"},
      {R"({"y": [true]})", "variable \"y\" is true or false"},
      {R"({"y": "seven"})", "variable \"y\" holds the text \"seven\""},
      {R"({"y": {"a": 1}})", "variable \"y\" is an object"},
      {R"({"y": [{}]})", "variable \"y\" is an object"},
      {R"({"y": 1, "y": 2})", "variable \"y\" is given twice"},
      {R"({"y": [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]})", "more than 16 arrays"},
      {R"([1, 2])", "must be a JSON object"},
      {R"(3)", "must be a JSON object"},
      {R"("text")", "must be a JSON object"},
      {R"(null)", "must be a JSON object"},
      {R"({"y": 1)", "is no JSON: parse error at line 1"},
      {R"({"y": [1, 2}})", "is no JSON"},
      {R"({"y": 1} 2)", "is no JSON"},
      {R"(y <- 3)", "is no JSON"},
      {R"({"y": 1e999})", "is no JSON"},
  };
  for (const auto& [json, error] : kCases)
    EXPECT_THAT(EncodingError(json), HasSubstr(error)) << json;
  EXPECT_THAT(EncodingError(R"({"y": )" + std::string(100'000, '[')),
              HasSubstr("more than 16 arrays"));
  EXPECT_NE(EncodingError("{\"y\xff\": 1}"), "");
}

}  // namespace
}  // namespace aisivi::server
