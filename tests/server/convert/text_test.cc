#include "server/text.h"

#include <string>

#include "gtest/gtest.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

TEST(TextTest, ControlCharactersOfBothSetsAreFound) {
  for (const char* text : {"a\x1b[31m", "line\nline", "\x7f", "c1 \xc2\x9b 31m", "\t"}) {
    EXPECT_TRUE(HasControlCharacters(text)) << text;
  }
  for (const char* text : {"", "plain", "größer ≤ 1 µ \xc2\xa0", "日本語"}) {
    EXPECT_FALSE(HasControlCharacters(text)) << text;
  }
}

TEST(TextTest, IsShortenedBetweenCharacters) {
  EXPECT_EQ(Shortened("abc", 3), "abc");
  EXPECT_EQ(Shortened("abcd", 3), "abc…");
  EXPECT_EQ(Shortened("aéé", 4), "aé…");
  EXPECT_EQ(Shortened("日本", 2), "…");
}

TEST(TextTest, QuotesAreShortAndHarmless) {
  EXPECT_EQ(Quoted("a b"), "\"a b\"");
  EXPECT_EQ(Quoted("\x1b[2J"), "\"\\x1b[2J\"");
  EXPECT_EQ(Quoted("\xc2\x9b"), "\"\\x9b\"");
  EXPECT_LT(Quoted(std::string(100'000, 'x')).size(), 110u);
}

// A client accepts 8 KB of trailers; the description travels twice in the details and once, with
// three bytes for each that is not ASCII, in the message.
TEST(TextTest, ErrorsOfAnyDescriptionFitATrailer) {
  std::string description;
  for (int i = 0; i < 100'000; ++i) description += "é";
  const grpc::Status status = ToGrpcStatus(FieldError("filter", description));
  EXPECT_LT(3 * status.error_message().size() + 4 * status.error_details().size() / 3, 4096u);
}

}  // namespace
}  // namespace aisivi::server
