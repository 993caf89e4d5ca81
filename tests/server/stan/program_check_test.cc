#include "server/stan/program_check.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;

std::string CheckError(const std::string& program) {
  return std::string(CheckProgram(program).message());
}

TEST(ProgramCheckTest, TakesPrograms) {
  EXPECT_EQ(CheckError("parameters { real x; }\nmodel {\tx ~ normal(0, 1); } // µ = 0\r\n"), "");
  EXPECT_EQ(CheckError("parameters { real included; } // see #include"), "");
  EXPECT_EQ(CheckError(std::string(kMaxNesting, '(') + std::string(kMaxNesting, ')')), "");
  EXPECT_EQ(CheckError("// " + std::string(1000, '(')), "");
  EXPECT_EQ(CheckError(std::string(kMaxProgramBytes, 'x')), "");
}

TEST(ProgramCheckTest, NamesWhatIsWrongAndWhere) {
  EXPECT_THAT(CheckError(""), HasSubstr("is required"));
  EXPECT_THAT(CheckError(" \n\t"), HasSubstr("is required"));
  EXPECT_THAT(CheckError(std::string(kMaxProgramBytes + 1, 'x')), HasSubstr("has 1000001 bytes"));
  EXPECT_THAT(CheckError(std::string("real x;\nreal \0 y;", 16)),
              HasSubstr("line 2: has a control"));
  EXPECT_THAT(CheckError("functions {\n#include f.stan\n}"),
              HasSubstr("line 2: #include: files are not"));
  EXPECT_THAT(CheckError("  # \t include </etc/passwd>"), HasSubstr("line 1: #include"));
  EXPECT_THAT(CheckError("/*\n#include x\n*/"), HasSubstr("line 2: #include"));
  EXPECT_THAT(CheckError("x;\n\n" + std::string(kMaxNesting + 1, '(')),
              HasSubstr("line 3: more than 100 brackets"));
  EXPECT_THAT(CheckError(std::string(900'000, '{')), HasSubstr("brackets"));
}

}  // namespace
}  // namespace aisivi::server
