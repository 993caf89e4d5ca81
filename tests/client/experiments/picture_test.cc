#include "client/experiments/picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/experiments/ablation_k_picture.h"
#include "client/experiments/architecture_picture.h"
#include "client/experiments/convergence_picture.h"
#include "client/experiments/curves.h"
#include "client/experiments/diffusion_picture.h"
#include "client/experiments/dimension_picture.h"
#include "client/experiments/logistic_picture.h"
#include "client/experiments/peers_picture.h"
#include "client/experiments/significance_picture.h"
#include "client/experiments/toy_picture.h"
#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

void ExpectPicture(const Folder& folder, const std::string& name) {
  const std::string png = ReadFile(folder / (name + ".png"));
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  const std::string svg = ReadFile(folder / (name + ".svg"));
  EXPECT_THAT(svg, testing::HasSubstr("<svg"));
  EXPECT_THAT(svg, testing::HasSubstr("</svg>"));
}

TEST(Picture, IsDrawnTwice) {
  const Folder folder;
  Picture picture(400, 300);
  picture.Title("it's a title");
  picture.AddData("points", {{1, 2}, {2, std::nan("")}, {3, 5}});
  picture.BeginPanel({0.1, 0.9, 0.1, 0.9}, "panel", "x", "y");
  picture.Add("plot $points using 1:2 with points\n");
  ASSERT_TRUE(picture.Draw(folder.path(), "p").ok());
  ExpectPicture(folder, "p");
}

TEST(Picture, AFolderThatIsNotThereIsNamed) {
  Picture picture(400, 300);
  picture.BeginPanel({0.1, 0.9, 0.1, 0.9}, "", "", "");
  picture.Add("plot x\n");
  const absl::Status status = picture.Draw("/no/such/folder", "p");
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("--out: "));
}

TEST(ToyPicture, WithAFitThatFailed) {
  const Folder folder;
  std::vector<ToyRow> rows;
  rows.push_back({"banana", *ToyDensity::Find("banana"), {}});
  rows[0].panels.push_back(
      {"aisivi", Eigen::MatrixXd::Constant(kHistogramBins, kHistogramBins, 0.02)});
  rows[0].panels.push_back({"bsivi", {}});
  const absl::Status drawn = DrawToyDensities(rows, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "toy");
}

TEST(ToyPicture, DivergencesWithoutAnySeed) {
  const Folder folder;
  std::vector<ToySummary> summaries;
  for (const std::string& target : ToyNames()) {
    ToySummary summary;
    summary.target = target;
    summary.variant = Variants()[0];
    summary.published = 0.1;
    summaries.push_back(summary);
  }
  summaries[0].forward = {0.2, -0.1};
  summaries[0].reverse = {0.3, 0.1};
  const absl::Status drawn = DrawToyDivergences(summaries, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "toy_kl");
}

TEST(ConvergencePicture, WithAMetricThatNobodyReports) {
  const Folder folder;
  TrainedFit fit;
  fit.result.key = {"banana", "bsivi", "", "", 1};
  for (int i = 0; i < 50; ++i) {
    v1::FitProgress* report = fit.history.add_reports();
    report->set_phase(v1::FitProgress::PHASE_TRAINING);
    report->set_iteration(10 * i);
    report->set_total_iterations(500);
    report->set_loss(std::exp(-0.1 * i));
    report->set_score_residual(i == 0 ? 0 : 1.0 / i);
  }
  TrainedFit failed;
  failed.result.key = {"banana", "aisivi", "", "", 1};
  const absl::Status drawn = DrawConvergence("banana", {fit, failed}, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "convergence_banana");
}

TEST(DiffusionPicture, WithAndWithoutReference) {
  const Folder folder;
  const PathBands bands = BandsOf(Eigen::MatrixXd::Random(20, 50));
  absl::Status drawn = DrawDiffusion(
      {{"a", bands}, {"b", bands}, {"c", bands}, {"d", bands}, {"e", bands}}, bands, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "diffusion");
  drawn = DrawDiffusion({{"a", bands}}, std::nullopt, folder.path());
  EXPECT_TRUE(drawn.ok()) << drawn;
  drawn = DrawDiffusion({}, std::nullopt, folder.path());
  EXPECT_TRUE(drawn.ok()) << drawn;
}

TEST(LogisticPicture, WithAndWithoutReference) {
  const Folder folder;
  const Eigen::MatrixXd z = Eigen::MatrixXd::Random(4, 200);
  absl::Status drawn = DrawMarginals({{"a", z}, {"b", 2 * z}}, z, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "logistic_marginals");
  drawn = DrawMarginals({{"a", z}}, std::nullopt, folder.path());
  EXPECT_TRUE(drawn.ok()) << drawn;
  drawn = DrawMarginals({}, std::nullopt, folder.path());
  EXPECT_TRUE(drawn.ok()) << drawn;
  drawn = DrawCorrelations({{"a", z}, {"b", 2 * z}}, z, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "logistic_correlations");
  drawn = DrawCorrelations({}, z, folder.path());
  EXPECT_TRUE(drawn.ok()) << drawn;
  drawn = DrawPairs({{"a", z}, {"b", 2 * z}}, z, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "logistic_pairs");
  const std::string svg = ReadFile(folder / "logistic_pairs.svg");
  for (const char* text : {">reference draws<", ">a<", ">b<", ">coefficient 4<"}) {
    EXPECT_THAT(svg, testing::HasSubstr(text));
  }
  drawn = DrawPairs({{"a", z}}, std::nullopt, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  EXPECT_THAT(ReadFile(folder / "logistic_pairs.svg"), testing::HasSubstr(">draws of a<"));
  for (const std::vector<DrawsOfFit>& few :
       {std::vector<DrawsOfFit>{}, std::vector<DrawsOfFit>{{"a", z.topRows(1)}}}) {
    drawn = DrawPairs(few, std::nullopt, folder.path());
    ASSERT_TRUE(drawn.ok()) << drawn;
    EXPECT_THAT(ReadFile(folder / "logistic_pairs.svg"),
                testing::HasSubstr(few.empty() ? ">no fit succeeded<" : ">one coefficient only<"));
  }
}

TEST(SignificancePicture, WithFewSeedsAndWithNone) {
  const Folder folder;
  PairedQuantity gap;
  gap.name = "gap";
  gap.seeds = {1, 2, 3};
  gap.first = {0.1, 0.2, 0.15};
  gap.second = {0.3, 0.25, 0.28};
  gap.t = PairedTTest({-0.2, -0.05, -0.13});
  gap.rank = SignedRankTest({-0.2, -0.05, -0.13});
  PairedQuantity none;
  none.name = "log evidence";
  none.t = PairedTTest({});
  none.rank = SignedRankTest({});
  const absl::Status drawn = DrawSignificance({"aisivi", "kpg"}, {gap, none}, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "significance");
}

TEST(Curves, WhatAnAxisCannotShowIsLeftOut) {
  const Folder folder;
  Picture picture(400, 300);
  picture.BeginPanel({0.15, 0.95, 0.2, 0.9}, "", "x", "y");
  DrawCurves({{"a", {{1, 2}, {10, 0}, {100, std::nan("")}, {1000, 0.1}}, "#0072b2"},
              {"b", {{1, -1}}, "#d55e00"},
              {"guide", {{1, 1}, {1000, 1e-3}}, "#52606d", true}},
             {.key = "top right", .nothing = "nothing"}, "1", &picture);
  picture.BeginPanel({0.15, 0.95, 0.2, 0.9}, "", "x", "y");
  DrawCurves({{"guide alone", {{1, 1}}, "#52606d", true}}, {.nothing = "exact"}, "2", &picture);
  const absl::Status drawn = picture.Draw(folder.path(), "curves");
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "curves");
  const std::string svg = ReadFile(folder / "curves.svg");
  EXPECT_THAT(svg, testing::HasSubstr(">a<"));
  EXPECT_THAT(svg, testing::HasSubstr(">guide<"));
  EXPECT_THAT(svg, testing::HasSubstr(">exact<"));
  EXPECT_THAT(svg, testing::Not(testing::HasSubstr(">b<")));
}

std::vector<ScoreRow> SomeRows() {
  return {{"proposal", 10, {0.1, 0.001, 1e-4}, 6, 0.01, 1e6},
          {"proposal", 100, {0.01, -1e-4, 1e-4}, 60, 0.02, 0},
          {"prior", 10, {1.5, 0.6, 0.1}, 1.1, 0.01, std::nan("")}};
}

TEST(AblationKPicture, WithAndWithoutRows) {
  const Folder folder;
  absl::Status drawn = DrawAblationK(SomeRows(), folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "ablation_k");
  EXPECT_THAT(ReadFile(folder / "ablation_k.svg"), testing::HasSubstr(">1/k<"));
  drawn = DrawAblationK({}, folder.path());
  EXPECT_TRUE(drawn.ok()) << drawn;
}

TEST(DimensionPicture, WithAFitThatFailed) {
  const Folder folder;
  std::vector<DimensionRows> rows = {{"gaussian", 2, {}, SomeRows()},
                                     {"gaussian", 4, {}, {}},
                                     {"conditioned_diffusion", 2, {}, SomeRows()}};
  const absl::Status drawn = DrawDimension(rows, Needs(rows), folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "dimension");
}

TEST(ArchitecturePicture, WithAFitThatFailed) {
  const Folder folder;
  FitResult fit;
  fit.state = "SUCCEEDED";
  fit.known_log_z = 0, fit.elbo_lower = -0.1, fit.seconds = 3;
  fit.measures[kProposalEss] = 0.4;
  const absl::Status drawn = DrawArchitecture(
      {{"banana", 6, {fit, FitResult{}}}, {"banana", 16, {fit, fit}}}, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "architecture");
}

TEST(PeersPicture, WithAndWithoutNuts) {
  const Folder folder;
  Peers peers;
  peers.targets = {"funnel"};
  absl::Status drawn = DrawPeers(peers, folder.path());
  EXPECT_TRUE(drawn.ok()) << drawn;
  for (const char* way : {"aisivi", kNuts}) {
    FitResult result;
    result.key = {"funnel", way, "", "", 1};
    result.state = "SUCCEEDED";
    result.seconds = 3, result.log_z_se = 0.01;
    result.measures[kGradients] = 1e5;
    peers.results.push_back(result);
  }
  drawn = DrawPeers(peers, folder.path());
  ASSERT_TRUE(drawn.ok()) << drawn;
  ExpectPicture(folder, "peers");
  EXPECT_THAT(ReadFile(folder / "peers.svg"), testing::HasSubstr("NUTS and bridge sampling"));
}

}  // namespace
}  // namespace aisivi::experiments
