#include "client/cli/plot_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

#include "client/cli/gnuplot.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
}

PlotInput Example(int dimension, const std::vector<std::string>& names) {
  PlotInput input;
  input.names = names;
  std::mt19937_64 generator(1);
  std::normal_distribution<double> normal;
  input.z =
      Eigen::MatrixXd::NullaryExpr(dimension, 4000, [&](auto, auto) { return normal(generator); });
  if (dimension > 1)
    input.z.row(1) = -input.z.row(0).array().square() + 0.4 * input.z.row(1).array();
  input.fit.set_name("fits/a");
  input.fit.mutable_target()->mutable_banana();
  input.fit.mutable_method()->mutable_aisivi();
  input.fit.set_dimension(dimension);
  input.fit.mutable_evidence()->set_log_z(0.012);
  input.fit.mutable_evidence()->set_standard_error(0.004);
  input.fit.mutable_evidence()->set_elbo_lower(-0.02);
  for (int i = 0; i < 200; ++i) {
    v1::FitProgress* report = input.history.add_reports();
    report->set_phase(v1::FitProgress::PHASE_TRAINING);
    *report->mutable_elapsed() = ToDuration(0.05 * i);
    report->set_elbo(-0.7 * std::exp(-i / 30.0) - 0.02);
    report->set_proposal_ess(0.9 - 0.3 * std::exp(-i / 50.0));
    report->set_score_residual(std::exp(-i / 40.0) + 0.01);
  }
  return input;
}

void ExpectPicture(const PlotInput& input) {
  const absl::StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok()) << directory.status();
  const std::filesystem::path picture = directory->path() / "picture.png";
  const absl::StatusOr<std::string> script = WritePlot(input, directory->path(), picture.string());
  ASSERT_TRUE(script.ok()) << script.status();
  const absl::Status drawn = RunGnuplot(*script, directory->path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  const std::string png = ReadFile(picture);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(png.substr(png.size() - 8, 4), "IEND");
  EXPECT_EQ(ReadFile(directory->path() / "log"), "") << "gnuplot warned";
  if (const char* keep = std::getenv("AISIVI_KEEP_PICTURES")) {
    std::filesystem::copy_file(
        picture,
        std::filesystem::path(keep) /
            (testing::UnitTest::GetInstance()->current_test_info()->name() + std::string(".png")),
        std::filesystem::copy_options::overwrite_existing);
  }
}

TEST(Plot, TwoDimensions) { ExpectPicture(Example(2, {"z[1]", "z[2]"})); }

TEST(Plot, OneDimension) { ExpectPicture(Example(1, {"z[1]"})); }

TEST(Plot, SixDimensions) { ExpectPicture(Example(6, {"a", "b", "c", "d", "e", "f"})); }

TEST(Plot, WithoutAnythingButDraws) {
  PlotInput input = Example(2, {"z[1]", "z[2]"});
  input.history.Clear();
  input.fit.clear_evidence();
  ExpectPicture(input);
}

TEST(Plot, AConstantCoordinate) {
  PlotInput input = Example(3, {"z[1]", "z[2]", "z[3]"});
  input.z.row(2).setConstant(5);
  ExpectPicture(input);
}

TEST(Plot, NamesAreNeverInterpreted) {
  const absl::StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  const std::string mark = (directory->path() / "mark").string();
  const std::string evil = "it's `touch " + mark + "` $(touch " + mark + ")\n'; system 'touch " +
                           mark + "'; print '{/Bold x}_^%@\\";
  PlotInput input = Example(2, {evil, "z[2]"});
  input.fit.set_display_name(evil);
  ExpectPicture(input);
  EXPECT_FALSE(std::filesystem::exists(mark));
}

TEST(Plot, TooFewDrawsAreAnError) {
  PlotInput input = Example(2, {"z[1]", "z[2]"});
  input.z.resize(2, 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(WritePlot(input, "unused", "unused.png").status()));
}

TEST(Gnuplot, FailureIsAnError) {
  const absl::StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  const absl::Status status = RunGnuplot("plot nonsense(\n", directory->path());
  EXPECT_TRUE(absl::IsInternal(status)) << status;
}

TEST(TemporaryDirectory, IsRemovedWithItsFiles) {
  std::filesystem::path path;
  {
    const absl::StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
    ASSERT_TRUE(directory.ok());
    path = directory->path();
    std::ofstream(path / "file") << "x";
    ASSERT_TRUE(std::filesystem::exists(path / "file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(GnuplotString, QuotesQuotes) { EXPECT_EQ(GnuplotString("a'b\n\\n"), "'a''b\\n'"); }

}  // namespace
}  // namespace aisivi::cli
