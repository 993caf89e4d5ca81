#include "engine/proposal/rational_quadratic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/engine/nn/testing.h"

namespace aisivi {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using test::Get;
using test::Normals;
using test::Put;
using test::Random;

constexpr int64_t kBins = kSplineBins;
constexpr double kBound = kSplineBound;

// The spline of arXiv 1906.04032 in double precision, in the form and with the symbols that it has
// there (eq. 4 and 5), and with the parameters of our header.
struct Reference {
  explicit Reference(const VectorXd& raw)
      : x(Knots(raw.head(kBins))), y(Knots(raw.segment(kBins, kBins))), d(kBins + 1) {
    d.front() = d.back() = 1;
    for (int64_t k = 1; k < kBins; ++k) d[k] = std::exp(7 * std::tanh(raw[2 * kBins + k - 1] / 7));
  }

  static std::vector<double> Knots(const VectorXd& raw) {
    const VectorXd e = (raw.array() - raw.maxCoeff()).exp();
    std::vector<double> knots = {-kBound};
    for (int64_t k = 0; k < kBins; ++k) {
      const double least = 2e-3 * kBound;
      knots.push_back(knots.back() + least +
                      (2 * kBound - static_cast<double>(kBins) * least) * e[k] / e.sum());
    }
    return knots;
  }

  double Value(double v, double* log_slope) const {
    *log_slope = 0;
    if (!(v > -kBound && v < kBound)) return v;
    size_t k = 0;
    while (k + 1 < kBins && v >= x[k + 1]) ++k;
    const double s = (y[k + 1] - y[k]) / (x[k + 1] - x[k]);
    const double t = (v - x[k]) / (x[k + 1] - x[k]);
    const double below = s + (d[k + 1] + d[k] - 2 * s) * t * (1 - t);
    *log_slope =
        std::log(s * s * (d[k + 1] * t * t + 2 * s * t * (1 - t) + d[k] * (1 - t) * (1 - t)) /
                 (below * below));
    return y[k] + (y[k + 1] - y[k]) * (s * t * t + d[k] * t * (1 - t)) / below;
  }

  std::vector<double> x, y, d;
};

struct Image {
  VectorXd value, log_slope;
};

// Every column of raw with the value below it.
Image Apply(SplineDirection direction, const MatrixXd& raw, const VectorXd& value) {
  Scratch scratch;
  const TileMap parameters = Put(raw, scratch);
  TileMap row = Put(value.transpose(), scratch);
  std::vector<double> log_det(value.size() + 1, 0.25);
  ApplySpline(direction, Const(parameters), row.data(), log_det.data());
  EXPECT_EQ(log_det.back(), 0.25) << "wrote past the end";
  VectorXd log_slope(value.size());
  for (int64_t i = 0; i < value.size(); ++i) log_slope[i] = 0.25 - log_det[i];
  return {Get(row).row(0), log_slope};
}

MatrixXd RandomRaw(int64_t n, double scale, Random& random) {
  return test::Rounded(Normals(kSplineOutputs, n, scale, random));
}

// Inside, outside and at both ends.
VectorXd Values(int64_t n, Random& random) {
  VectorXd v = test::Rounded(Normals(n, 1, 2, random));
  for (int64_t i = 0; i + 20 < n; i += 20) v[i] = i % 40 == 0 ? kBound : -kBound;
  return v;
}

TEST(RationalQuadraticTest, IsTheReferenceInAnyNumberOfColumns) {
  Random random(1);
  for (const double scale : {0.3, 1.0, 2.0}) {
    for (const int64_t n : {1, 15, 16, 17, 48, 300}) {
      const MatrixXd raw = RandomRaw(n, scale, random);
      const VectorXd v = Values(n, random);
      const Image image = Apply(SplineDirection::kForward, raw, v);
      for (int64_t i = 0; i < n; ++i) {
        double log_slope = 0;
        const double expected = Reference(raw.col(i)).Value(v[i], &log_slope);
        // A knot is known to single precision, so is ξ W; the slope may change over a bin.
        EXPECT_NEAR(image.value[i], expected, 1e-5 * std::exp(std::max(0.0, log_slope)) + 2e-6);
        EXPECT_NEAR(image.log_slope[i], log_slope, 5e-3 * scale) << v[i];
      }
    }
  }
}

TEST(RationalQuadraticTest, TheInverseUndoesIt) {
  Random random(2);
  constexpr int64_t kCount = 2000;
  for (const double scale : {0.0, 0.3, 1.0, 2.0}) {
    const MatrixXd raw = RandomRaw(kCount, scale, random);
    const VectorXd v = Values(kCount, random);
    const Image there = Apply(SplineDirection::kForward, raw, v);
    const Image back = Apply(SplineDirection::kInverse, raw, there.value);
    int64_t flat = 0;
    for (int64_t i = 0; i < kCount; ++i) {
      // u is rounded to 2^-22, which a flat map turns into more.
      const double rounding = 2e-6 * (1 + std::exp(-there.log_slope[i]));
      EXPECT_NEAR(back.value[i], v[i], rounding) << there.log_slope[i];
      if (there.log_slope[i] < -6) {
        ++flat;
        continue;
      }
      EXPECT_NEAR(back.log_slope[i], there.log_slope[i], 1e-2 * scale + 1e-6);
    }
    EXPECT_LT(flat, kCount / 2) << scale;  // sd 2 makes wide bins of little height: f' ≈ 2 s²
    if (scale == 0) continue;
    EXPECT_GT((there.value - v).norm(), 1);
  }
}

TEST(RationalQuadraticTest, ZerosAreTheIdentity) {
  const VectorXd v = test::Rounded(VectorXd::LinSpaced(401, -6, 6));
  for (const double shared :
       {0.0, 1.5}) {  // equal widths, equal heights: their size is their share
    MatrixXd raw = MatrixXd::Zero(kSplineOutputs, v.size());
    raw.topRows(2 * kBins).setConstant(shared);
    for (const SplineDirection direction : {SplineDirection::kForward, SplineDirection::kInverse}) {
      const Image image = Apply(direction, raw, v);
      EXPECT_LT((image.value - v).cwiseAbs().maxCoeff(), 1e-6);
      EXPECT_LT(image.log_slope.cwiseAbs().maxCoeff(), 1e-6);
    }
  }
}

TEST(RationalQuadraticTest, TheTailsAreTheIdentityAndMeetTheSpline) {
  Random random(3);
  const std::vector<double> far = {4,     -4,   4.0000005, -4.0000005, 7,
                                   -1e10, 3e38, -3e38,     HUGE_VAL,   -HUGE_VAL};
  for (const double tail : far) {
    const MatrixXd raw = RandomRaw(20, 2, random);
    for (const SplineDirection direction : {SplineDirection::kForward, SplineDirection::kInverse}) {
      const Image image = Apply(direction, raw, test::Rounded(VectorXd::Constant(20, tail)));
      EXPECT_TRUE((image.value.array() == static_cast<double>(static_cast<float>(tail))).all());
      EXPECT_TRUE((image.log_slope.array() == 0).all());
    }
  }
  // Just inside value and slope are those of the tail.
  const MatrixXd raw = RandomRaw(200, 1, random);
  for (const double end : {-1.0, 1.0}) {
    const VectorXd v = VectorXd::Constant(200, end * std::nextafter(4.0f, 0.0f));
    const Image image = Apply(SplineDirection::kForward, raw, v);
    EXPECT_LT((image.value - v).cwiseAbs().maxCoeff(), 2e-5);
    EXPECT_LT(image.log_slope.cwiseAbs().maxCoeff(), 5e-3);
  }
}

// Exactly at a knot, and a rounding to either side of it: the knot's image, and its slope.
TEST(RationalQuadraticTest, KnotsAreMet) {
  Random random(4);
  for (int repeat = 0; repeat < 30; ++repeat) {
    const MatrixXd raw = RandomRaw(1, repeat == 0 ? 0 : 0.7, random);
    const Reference reference(raw.col(0));
    for (int64_t k = 0; k <= kBins; ++k) {
      const float x = static_cast<float>(reference.x[k]), y = static_cast<float>(reference.y[k]);
      const VectorXd v{{x, std::nextafter(x, -9.0f), std::nextafter(x, 9.0f)}};
      const VectorXd u{{y, std::nextafter(y, -9.0f), std::nextafter(y, 9.0f)}};
      const Image there = Apply(SplineDirection::kForward, raw.replicate(1, 3), v);
      const Image back = Apply(SplineDirection::kInverse, raw.replicate(1, 3), u);
      for (int64_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(there.value[i], reference.y[k], 5e-6 * (1 + reference.d[k])) << k;
        EXPECT_NEAR(back.value[i], reference.x[k], 5e-6 * (1 + 1 / reference.d[k])) << k;
        EXPECT_NEAR(there.log_slope[i], std::log(reference.d[k]), 1e-3) << k;
        EXPECT_NEAR(back.log_slope[i], std::log(reference.d[k]), 1e-3) << k;
      }
    }
  }
}

TEST(RationalQuadraticTest, ItIncreases) {
  Random random(5);
  const VectorXd v = test::Rounded(VectorXd::LinSpaced(3001, -4.5, 4.5));
  for (const double scale : {1.0, 4.0, 30.0}) {
    const MatrixXd raw = RandomRaw(1, scale, random).replicate(1, v.size());
    for (const SplineDirection direction : {SplineDirection::kForward, SplineDirection::kInverse}) {
      const VectorXd image = Apply(direction, raw, v).value;
      EXPECT_GT((image.tail(3000) - image.head(3000)).minCoeff(), -2e-6) << scale;
      EXPECT_EQ(image[0], v[0]);
      EXPECT_EQ(image[3000], v[3000]);
    }
  }
}

TEST(RationalQuadraticTest, ExtremeParametersStayFiniteAndNaNStaysNaN) {
  Random random(6);
  constexpr int64_t kCount = 600;
  for (const double scale : {1e2, 1e4, 1e20, 1e38}) {
    MatrixXd raw(kSplineOutputs, kCount);
    for (int64_t i = 0; i < raw.size(); ++i) {
      raw.data()[i] = std::clamp(scale * Normals(1, 1, 1, random)(0), -3e38, 3e38);
    }
    const VectorXd v = Values(kCount, random);
    for (const SplineDirection direction : {SplineDirection::kForward, SplineDirection::kInverse}) {
      const Image image = Apply(direction, raw, v);
      EXPECT_TRUE(image.value.allFinite()) << scale;
      EXPECT_TRUE(image.log_slope.allFinite()) << scale;
      EXPECT_LE(image.value.cwiseAbs().maxCoeff(), v.cwiseAbs().maxCoeff() + 1e-5);
    }
    Scratch scratch;
    const TileMap parameters = Put(raw, scratch), at = Put(v.transpose(), scratch);
    TileMap grad = Put(Normals(1, kCount, 1, random), scratch);
    TileMap grad_raw = TakeTile(scratch, kSplineOutputs, kCount);
    SplineBackward(Const(parameters), at.data(), 0.5f, grad.data(), grad_raw);
    EXPECT_TRUE(Get(grad).allFinite() && Get(grad_raw).allFinite()) << scale;
  }
  const double nan = std::nan("");
  MatrixXd raw = RandomRaw(3, 1, random);
  raw(0, 1) = nan;
  for (const SplineDirection direction : {SplineDirection::kForward, SplineDirection::kInverse}) {
    const Image image = Apply(direction, raw, VectorXd{{nan, 0.5, 0.5}});
    EXPECT_TRUE(std::isnan(image.value[0]));
    EXPECT_TRUE(std::isnan(image.value[1]));
    EXPECT_TRUE(std::isfinite(image.value[2]));
  }
}

// N(f(v); 0, 1) f'(v) is a density of v.
TEST(RationalQuadraticTest, ThePulledBackNormalIntegratesToOne) {
  Random random(7);
  constexpr int64_t kCells = 40000;
  VectorXd v(kCells);
  for (int64_t i = 0; i < kCells; ++i) v[i] = -8 + 16 * (static_cast<double>(i) + 0.5) / kCells;
  v = test::Rounded(v);
  for (const double scale : {0.5, 1.5, 3.0}) {
    const MatrixXd raw = RandomRaw(1, scale, random).replicate(1, kCells);
    const Image image = Apply(SplineDirection::kForward, raw, v);
    const double total =
        (image.log_slope.array() - 0.5 * image.value.array().square()).exp().sum() /
        std::sqrt(2 * M_PI) * 16 / kCells;
    EXPECT_NEAR(total, 1, 2e-3) << scale;
  }
}

// L = G f(v) − w log f'(v), whose gradient in v and in every parameter is that of the reference by
// differences.
TEST(RationalQuadraticTest, GradientsAreThoseOfTheReference) {
  constexpr double kStep = 1e-6;
  constexpr float kWeight = 0.7f;
  Random random(8);
  for (const double scale : {0.0, 0.3, 1.0}) {
    const int64_t n = 77;
    const MatrixXd raw = RandomRaw(n, scale, random);
    VectorXd v = Values(n, random);
    const MatrixXd upstream = test::Rounded(Normals(1, n, 1, random));
    Scratch scratch;
    const TileMap parameters = Put(raw, scratch), at = Put(v.transpose(), scratch);
    TileMap grad = Put(upstream, scratch);
    TileMap grad_raw = TakeTile(scratch, kSplineOutputs, n);
    SplineBackward(Const(parameters), at.data(), kWeight, grad.data(), grad_raw);
    const auto loss = [&](const VectorXd& r, double value, int64_t i) {
      double log_slope = 0;
      const double u = Reference(r).Value(value, &log_slope);
      return upstream(0, i) * u - static_cast<double>(kWeight) * log_slope;
    };
    int64_t outside = 0;
    for (int64_t i = 0; i < n; ++i) {
      if (std::abs(v[i]) >= kBound) {
        EXPECT_EQ(grad(0, i), static_cast<float>(upstream(0, i)));
        EXPECT_TRUE((grad_raw.col(i).array() == 0.0f).all());
        ++outside;
        continue;
      }
      // f' bends at knots: no difference there.
      const Reference reference(raw.col(i));
      double nearest = 1;
      for (const double x : reference.x) nearest = std::min(nearest, std::abs(x - v[i]));
      if (nearest < 1e-4) continue;
      const double slope =
          (loss(raw.col(i), v[i] + kStep, i) - loss(raw.col(i), v[i] - kStep, i)) / (2 * kStep);
      EXPECT_NEAR(grad(0, i), slope, 2e-3 * (1 + std::abs(slope))) << v[i];
      VectorXd expected(kSplineOutputs), moved = raw.col(i);
      for (int64_t r = 0; r < kSplineOutputs; ++r) {
        moved[r] = raw(r, i) + kStep;
        const double up = loss(moved, v[i], i);
        moved[r] = raw(r, i) - kStep;
        expected[r] = (up - loss(moved, v[i], i)) / (2 * kStep);
        moved[r] = raw(r, i);
      }
      const VectorXd found = grad_raw.col(i).cast<double>();
      EXPECT_LT((found - expected).norm(), 2e-3 * (1 + expected.norm())) << v[i];
      EXPECT_GT(expected.norm(), 1e-4);
    }
    EXPECT_GT(outside, 0);
    EXPECT_LT(outside, n / 4);
  }
}

}  // namespace
}  // namespace aisivi
