#include "engine/nn/mlp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/engine/nn/testing.h"

namespace aisivi {
namespace {

using test::Between;
using test::Get;
using test::Normals;
using test::Put;
using test::Random;
using test::ReferenceMlp;

struct Case {
  std::vector<int64_t> sizes;
  int64_t columns;
};

std::vector<Case> Cases() {
  std::vector<Case> cases = {{{1, 1}, 1},           {{1, 1, 1, 1}, 1},    {{1, 64, 64, 2}, 1},
                             {{2, 128, 128, 2}, 7}, {{3, 7, 5, 11}, 17},  {{9, 2, 1}, 33},
                             {{5, 13, 13, 10}, 16}, {{17, 31, 4, 1}, 100}};
  Random random(11);
  for (int i = 0; i < 20; ++i) {
    Case c;
    for (int64_t layers = Between(2, 5, random); layers > 0; --layers) {
      c.sizes.push_back(Between(1, 23, random));
    }
    c.columns = Between(1, 70, random);
    cases.push_back(c);
  }
  return cases;
}

Eigen::VectorXf RandomParameters(const Mlp& mlp, Random& random) {
  return Normals(mlp.parameter_count(), 1, 0.7, random).cast<float>();
}

TEST(MlpTest, ForwardIsTheReference) {
  Random random(1);
  for (const Case& c : Cases()) {
    const Mlp mlp(c.sizes);
    const Eigen::VectorXf parameters = RandomParameters(mlp, random);
    Scratch scratch;
    const TileMap input = Put(Normals(c.sizes.front(), c.columns, 1, random), scratch);
    TileMap output = TakeTile(scratch, c.sizes.back(), c.columns);
    mlp.Forward(parameters.data(), Const(input), scratch, output);
    const Eigen::MatrixXd reference = ReferenceMlp(c.sizes, parameters.cast<double>(), Get(input));
    EXPECT_LT(test::RelativeError(Get(output), reference), 1e-5) << c.columns;
  }
}

TEST(MlpTest, ShapesAreThoseAskedFor) {
  const Mlp mlp({3, 7, 2});
  EXPECT_EQ(mlp.input_size(), 3);
  EXPECT_EQ(mlp.output_size(), 2);
  EXPECT_EQ(mlp.layers(), 2);
  EXPECT_EQ(mlp.parameter_count(), 3 * 7 + 7 + 7 * 2 + 2);
}

// loss = Σ weight ⊙ output, differentiated by central differences of the reference.
double ReferenceLoss(const Case& c, const Eigen::VectorXd& parameters, const Eigen::MatrixXd& input,
                     const Eigen::MatrixXd& weight) {
  return weight.cwiseProduct(ReferenceMlp(c.sizes, parameters, input)).sum();
}

TEST(MlpTest, BackwardIsTheGradientOfTheReference) {
  constexpr double kStep = 1e-6;
  Random random(2);
  for (const Case& c : Cases()) {
    const Mlp mlp(c.sizes);
    if (mlp.parameter_count() > 700) continue;
    const Eigen::VectorXf parameters = RandomParameters(mlp, random);
    Scratch scratch;
    const TileMap input = Put(Normals(c.sizes.front(), c.columns, 1, random), scratch);
    const TileMap weight = Put(Normals(c.sizes.back(), c.columns, 1, random), scratch);
    TileMap output = TakeTile(scratch, c.sizes.back(), c.columns);
    Mlp::Trace trace;
    mlp.Forward(parameters.data(), Const(input), scratch, output, &trace);
    // Backward adds: what was there before must stay.
    Eigen::VectorXf gradient = Eigen::VectorXf::Constant(mlp.parameter_count(), 2.0f);
    TileMap grad_input = Put(Normals(c.sizes.front(), c.columns, 9, random), scratch);
    mlp.Backward(parameters.data(), trace, Const(weight), scratch, gradient.data(), &grad_input);

    Eigen::VectorXd p = parameters.cast<double>(), expected(p.size());
    Eigen::MatrixXd x = Get(input), expected_input(x.rows(), x.cols());
    const Eigen::MatrixXd w = Get(weight);
    const auto difference = [&](double* value) {
      const double at = *value;
      *value = at + kStep;
      const double up = ReferenceLoss(c, p, x, w);
      *value = at - kStep;
      const double down = ReferenceLoss(c, p, x, w);
      *value = at;
      return (up - down) / (2 * kStep);
    };
    for (int64_t i = 0; i < p.size(); ++i) expected[i] = 2.0 + difference(&p[i]);
    for (int64_t i = 0; i < x.size(); ++i) {
      expected_input.data()[i] = difference(x.data() + i);
    }
    EXPECT_LT(test::RelativeError(gradient.cast<double>(), expected), 1e-4);
    EXPECT_LT(test::RelativeError(Get(grad_input), expected_input), 1e-4);
  }
}

TEST(MlpTest, InitialValuesStayWithinTheirBounds) {
  const std::vector<int64_t> sizes = {4, 25, 16, 3};
  const Mlp mlp(sizes);
  Eigen::VectorXf parameters(mlp.parameter_count()), again(mlp.parameter_count());
  const RngStream stream = {5, RngPurpose::kFamilyInit, 0, 0};
  mlp.Initialize(stream, /*zero_last=*/false, parameters.data());
  mlp.Initialize(stream, /*zero_last=*/false, again.data());
  EXPECT_EQ(parameters, again);
  int64_t at = 0;
  for (size_t layer = 0; layer + 1 < sizes.size(); ++layer) {
    const int64_t count = (sizes[layer] + 1) * sizes[layer + 1];
    const double bound = 1 / std::sqrt(static_cast<double>(sizes[layer]));
    const Eigen::ArrayXd values = parameters.segment(at, count).cast<double>();
    EXPECT_LT(values.abs().maxCoeff(), bound * 1.0001);
    EXPECT_GT(values.abs().maxCoeff(), bound * 0.8);
    EXPECT_LT(std::abs(values.mean()), 5 * bound / std::sqrt(3.0 * static_cast<double>(count)));
    at += count;
  }
}

TEST(MlpTest, AZeroLastLayerGivesZero) {
  Random random(3);
  const Mlp mlp({3, 8, 8, 5});
  Eigen::VectorXf parameters(mlp.parameter_count());
  mlp.Initialize({5, RngPurpose::kFamilyInit, 0, 0}, /*zero_last=*/true, parameters.data());
  EXPECT_GT(parameters.norm(), 0);
  Scratch scratch;
  const TileMap input = Put(Normals(3, 19, 10, random), scratch);
  TileMap output = TakeTile(scratch, 5, 19);
  mlp.Forward(parameters.data(), Const(input), scratch, output);
  EXPECT_EQ(output.cwiseAbs().maxCoeff(), 0.0f);
}

}  // namespace
}  // namespace aisivi
