#include "client/cli/draws_csv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

namespace aisivi::cli {
namespace {

TEST(DrawsCsv, HasCmdStansLayout) {
  DrawsHeader header = {"fits/a", "aisivi", "banana", 2, 7, {"z[1]", "z[2]"}, {0.5, -1}};
  std::ostringstream out;
  WriteDrawsHeader(header, out);
  v1::DrawsChunk chunk;
  chunk.set_count(2);
  chunk.set_dimension(2);
  for (const double value : {0.1, 2.0, -3.0, 1e-300}) chunk.add_values(value);
  chunk.add_log_p(-1.25);
  chunk.add_log_p(-std::numeric_limits<double>::infinity());
  chunk.add_log_q(-1.5);
  chunk.add_log_q(std::nan(""));
  WriteDraws(chunk, out);
  EXPECT_EQ(out.str(),
            "# model = banana\n"
            "# method = variational\n"
            "#   variational\n"
            "#     algorithm = aisivi\n"
            "#     output_samples = 2\n"
            "# id = 1\n"
            "# random\n"
            "#   seed = 7\n"
            "# fit = fits/a\n"
            "lp__,log_p__,log_g__,z.1,z.2\n"
            "0,0,0,0.5,-1\n"
            "0,-1.25,-1.5,0.1,2\n"
            "0,-inf,nan,-3,1e-300\n");
}

TEST(DrawsCsv, NamesWithCommasAreQuoted) {
  const DrawsHeader header = {"fits/a", "aisivi", "banana",
                              1,        0,        {"beta[wind, mean]", "beta[age]", "beta[\"x\"]"},
                              {1, 2, 3}};
  std::ostringstream out;
  WriteDrawsHeader(header, out);
  EXPECT_NE(
      out.str().find("lp__,log_p__,log_g__,\"beta.wind, mean\",beta.age,\"beta.\"\"x\"\"\"\n"),
      std::string::npos)
      << out.str();
}

TEST(DrawsCsv, NamesAreCmdStans) {
  EXPECT_EQ(CsvName("tau"), "tau");
  EXPECT_EQ(CsvName("theta[8]"), "theta.8");
  EXPECT_EQ(CsvName("w[2,1]"), "w.2.1");
  EXPECT_EQ(CsvName("a[12,3,40]"), "a.12.3.40");
  EXPECT_EQ(CsvName("beta[temperature]"), "beta.temperature");
  EXPECT_EQ(CsvName("w[2,wind, mean]"), "w.2.wind, mean");
  EXPECT_EQ(CsvName("beta[x[1]]"), "beta.x[1]");
}

TEST(DrawsCsv, NumbersReadBackExactly) {
  v1::DrawsChunk chunk;
  chunk.set_count(1);
  chunk.set_dimension(1);
  chunk.add_values(0.1 + 0.2);
  std::ostringstream out;
  WriteDraws(chunk, out);
  const std::string line = out.str();
  EXPECT_EQ(std::stod(line.substr(line.rfind(',') + 1)), 0.1 + 0.2);
}

}  // namespace
}  // namespace aisivi::cli
