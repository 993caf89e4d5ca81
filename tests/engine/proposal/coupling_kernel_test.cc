#include "engine/proposal/coupling_kernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/engine/nn/testing.h"

namespace aisivi {
namespace {

using test::Between;
using test::Get;
using test::Normals;
using test::Put;
using test::Random;

struct KernelShape {
  int64_t kept, changed, hidden, width, columns;
};

std::vector<KernelShape> KernelShapes() {
  // Every small size of the two halves, widths that do and do not divide the columns, one sample.
  std::vector<KernelShape> shapes;
  for (int64_t kept = 0; kept <= 9; ++kept) {
    for (const int64_t changed : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
      const int64_t i = kept * 10 + changed;
      shapes.push_back({kept, changed, 1 + i % 13, 1 + i % 21, 1 + (i * 7) % 67});
    }
  }
  for (const KernelShape& s : {KernelShape{1, 1, 8, 1, 1}, KernelShape{1, 1, 8, 64, 64},
                               KernelShape{1, 1, 8, 10, 64}, KernelShape{1, 1, 8, 5, 160},
                               KernelShape{11, 11, 88, 16, 48}, KernelShape{50, 50, 33, 7, 40},
                               KernelShape{2, 1, 7, 100, 33}, KernelShape{13, 12, 101, 128, 128}}) {
    shapes.push_back(s);
  }
  Random random(3);
  for (int i = 0; i < 30; ++i) {
    shapes.push_back({Between(0, 20, random), Between(0, 20, random), Between(1, 70, random),
                      Between(1, 140, random), Between(1, 200, random)});
  }
  return shapes;
}

struct Problem {
  Problem(const KernelShape& s, Random& random)
      : shape(s),
        points((s.columns + s.width - 1) / s.width),
        stride(2 * s.hidden + Between(0, 9, random)),
        w_kept(Normals(2 * s.hidden, s.kept, 0.8, random).cast<float>()),
        context(Normals(stride, points, 0.8, random).cast<float>()),
        w_scale(Normals(s.changed, s.hidden, 0.5, random).cast<float>()),
        w_shift(Normals(s.changed, s.hidden, 0.5, random).cast<float>()),
        b_scale(Normals(s.changed, 1, 0.5, random).cast<float>()),
        b_shift(Normals(s.changed, 1, 0.5, random).cast<float>()) {}

  CouplingNet net() const {
    return {.w_kept = w_kept.data(),
            .context = context.data(),
            .context_stride = stride,
            .w_scale = w_scale.data(),
            .b_scale = b_scale.data(),
            .w_shift = w_shift.data(),
            .b_shift = b_shift.data(),
            .kept = shape.kept,
            .changed = shape.changed,
            .hidden = shape.hidden};
  }

  // One MLP of the two at sample i: part 0 is the scale's, 1 the shift's.
  double Reference(int part, int64_t output, const Eigen::MatrixXd& u, int64_t i) const {
    const Tile& w = part == 0 ? w_scale : w_shift;
    double sum = part == 0 ? b_scale[output] : b_shift[output];
    for (int64_t r = 0; r < shape.hidden; ++r) {
      const int64_t row = part * shape.hidden + r;
      double h = context(row, i / shape.width);
      for (int64_t k = 0; k < shape.kept; ++k) h += static_cast<double>(w_kept(row, k)) * u(k, i);
      sum += w(output, r) * std::max(h, 0.0);
    }
    return sum;
  }

  KernelShape shape;
  int64_t points, stride;
  Tile w_kept;
  Eigen::MatrixXf context;
  Tile w_scale, w_shift;
  Eigen::VectorXf b_scale, b_shift;
};

TEST(CouplingKernelTest, TheTwoNetworksAreTheReference) {
  Random random(1);
  for (const KernelShape& shape : KernelShapes()) {
    const Problem problem(shape, random);
    Scratch scratch;
    const TileMap u = Put(Normals(shape.kept, shape.columns, 1, random), scratch);
    TileMap raw = TakeTile(scratch, shape.changed, shape.columns);
    TileMap shift = TakeTile(scratch, shape.changed, shape.columns);
    EvaluateCouplingNet(problem.net(), Const(u), shape.width, scratch, raw, shift);
    double worst = 0;
    for (int64_t c = 0; c < shape.changed; ++c) {
      for (int64_t i = 0; i < shape.columns; ++i) {
        const Eigen::MatrixXd input = Get(u);
        worst = std::max(worst, std::abs(raw(c, i) - problem.Reference(0, c, input, i)));
        worst = std::max(worst, std::abs(shift(c, i) - problem.Reference(1, c, input, i)));
      }
    }
    EXPECT_LT(worst, 1e-4) << "kept " << shape.kept << " changed " << shape.changed << " hidden "
                           << shape.hidden << " width " << shape.width << " n " << shape.columns;
  }
}

double Softplus(double v) { return std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v))); }

TEST(CouplingKernelTest, TransformIsTheReference) {
  Random random(2);
  for (const KernelShape& shape : KernelShapes()) {
    for (const CouplingScale scale :
         {CouplingScale{0, 1e-7f, 0}, CouplingScale{0.5413249f, 1e-7f, 0.05f}}) {
      const int64_t n = shape.columns, changed = shape.changed;
      Scratch scratch;
      TileMap raw = Put(Normals(changed, n, 4, random), scratch);
      const TileMap shift = Put(Normals(changed, n, 1, random), scratch);
      TileMap u = Put(Normals(changed, n, 1, random), scratch);
      const Eigen::MatrixXd before = Get(u), input = Get(raw);
      std::vector<double> log_det(n, 0.25);
      TransformChanged(raw, shift, scale, u, log_det.data());
      for (int64_t i = 0; i < n; ++i) {
        double det = 0.25, tolerance = 1e-5;
        for (int64_t c = 0; c < changed; ++c) {
          const double s = std::max<double>(
              scale.least, Softplus(input(c, i) + scale.offset) + static_cast<double>(scale.floor));
          det += std::log(s);
          tolerance += 3e-6 + 2e-7 / s;  // s is exact to rounding at 1
          ASSERT_NEAR(u(c, i), s * before(c, i) + shift(c, i), 1e-5 * (1 + s * 5));
        }
        ASSERT_NEAR(log_det[i], det, tolerance);
      }
    }
  }
}

TEST(CouplingKernelTest, SoftplusHoldsAtTheExtremes) {
  const std::vector<float> in = {-1e30f, -1e4f, -100.0f, -20.0f, -5.0f, -1.0f,  -1e-6f, 0.0f,
                                 1e-6f,  1.0f,  5.0f,    20.0f,  88.0f, 100.0f, 1e4f,   1e30f};
  for (int64_t n = 1; n <= static_cast<int64_t>(in.size()); ++n) {
    Scratch scratch;  // its arrays are aligned like the rows of a tile
    float* out = scratch.Take<float>(n + 1);
    float* same = scratch.Take<float>(n);
    std::copy_n(in.begin(), n, same);
    out[n] = -7.0f;
    SoftplusRow(in.data(), 0.5f, 1e-7f, n, out);
    EXPECT_EQ(out[n], -7.0f) << "wrote past the end";
    SoftplusRow(same, 0.5f, 1e-7f, n, same);
    for (int64_t i = 0; i < n; ++i) {
      const double expected = Softplus(static_cast<double>(in[i]) + 0.5) + 1e-7;
      EXPECT_GE(out[i], 1e-7f) << in[i];
      EXPECT_NEAR(out[i], expected, 1e-6 * expected + 2e-7) << in[i];
      EXPECT_EQ(out[i], same[i]) << "in place differs at " << in[i];
    }
  }
}

TEST(CouplingKernelTest, TheScaleHasBounds) {
  const std::vector<float> in = {-1e30f, -100.0f, -3.6f, -3.4f, 0.0f, 1e8f, 2e9f, 1e30f};
  std::vector<float> out(in.size());
  ScaleRow(in.data(), {0.5413249f, 1e-7f, 0.05f}, static_cast<int64_t>(in.size()), out.data());
  for (const int i : {0, 1, 2}) EXPECT_EQ(out[i], 0.05f) << in[i];
  EXPECT_GT(out[3], 0.05f);
  EXPECT_NEAR(out[4], 1, 1e-6);
  EXPECT_EQ(out[5], 1e8f);
  for (const int i : {6, 7}) EXPECT_EQ(out[i], kMostScale) << in[i];
  ScaleRow(in.data(), {0, 1e-7f, 0}, 1, out.data());
  EXPECT_EQ(out[0], 1e-7f);
}

TEST(CouplingKernelTest, NotANumberStaysOne) {
  std::vector<float> v(20, 1.0f), w;
  v[3] = v[17] = std::numeric_limits<float>::quiet_NaN();
  w = v;
  SoftplusRow(v.data(), 0, 1e-7f, 20, v.data());
  ScaleRow(w.data(), {0, 1e-7f, 0.05f}, 20, w.data());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(std::isnan(v[i]), i == 3 || i == 17) << i;
    EXPECT_EQ(std::isnan(w[i]), i == 3 || i == 17) << i;
  }
}

}  // namespace
}  // namespace aisivi
