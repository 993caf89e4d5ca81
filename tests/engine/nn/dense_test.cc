#include "engine/nn/dense.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/engine/nn/testing.h"

namespace aisivi {
namespace {

using test::Between;
using test::Get;
using test::Normals;
using test::Put;
using test::Random;

struct Shape {
  int64_t in, out, columns;
};

std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  for (int64_t in = 0; in <= 9; ++in) {
    for (int64_t out = 1; out <= 13; ++out) {
      shapes.push_back({in, out, 1 + (in * 29 + out * 17) % 100});
    }
  }
  for (const int64_t columns : {1, 7, 8, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 257}) {
    shapes.push_back({5, 11, columns});
    shapes.push_back({50, 3, columns});
  }
  Random random(5);
  for (int i = 0; i < 30; ++i) {
    shapes.push_back({Between(1, 130, random), Between(1, 130, random), Between(1, 130, random)});
  }
  return shapes;
}

TEST(DenseTest, IsTheReference) {
  Random random(1);
  for (const Shape& s : Shapes()) {
    const Tile w = Normals(s.out, s.in, 1, random).cast<float>();
    const Eigen::VectorXf b = Normals(s.out, 1, 1, random).cast<float>();
    for (const bool with_bias : {false, true}) {
      for (const bool relu : {false, true}) {
        Scratch scratch;
        const TileMap x = Put(Normals(s.in, s.columns, 1, random), scratch);
        TileMap y = Put(Eigen::MatrixXd::Constant(s.out, s.columns, 99), scratch);
        Dense(w.data(), with_bias ? b.data() : nullptr, Const(x), relu, y);
        Eigen::MatrixXd expected = w.cast<double>() * Get(x);
        if (with_bias) expected.colwise() += b.cast<double>();
        if (relu) expected = expected.cwiseMax(0.0);
        EXPECT_LT((Get(y) - expected).cwiseAbs().maxCoeff(), 1e-5 * static_cast<double>(s.in + 10))
            << s.in << " → " << s.out << ", " << s.columns << " columns";
      }
    }
  }
}

TEST(DenseTest, OntoAddsToWhatIsThere) {
  Random random(4);
  for (const Shape& s : Shapes()) {
    const Tile w = Normals(s.out, s.in, 1, random).cast<float>();
    for (const bool relu : {false, true}) {
      Scratch scratch;
      const TileMap x = Put(Normals(s.in, s.columns, 1, random), scratch);
      TileMap y = Put(Normals(s.out, s.columns, 1, random), scratch);
      Eigen::MatrixXd expected = Get(y) + w.cast<double>() * Get(x);
      if (relu) expected = expected.cwiseMax(0.0);
      DenseOnto(w.data(), Const(x), relu, y);
      EXPECT_LT((Get(y) - expected).cwiseAbs().maxCoeff(), 1e-5 * static_cast<double>(s.in + 10))
          << s.in << " → " << s.out << ", " << s.columns << " columns";
    }
  }
}

// Rows above and below the result belong to others.
TEST(DenseTest, WritesItsRowsOnly) {
  Random random(2);
  for (const Shape& s : Shapes()) {
    const Tile w = Normals(s.out, s.in, 1, random).cast<float>();
    Scratch scratch;
    const TileMap x = Put(Normals(s.in, s.columns, 1, random), scratch);
    TileMap around = Put(Eigen::MatrixXd::Constant(s.out + 2, s.columns, 99), scratch);
    Dense(w.data(), nullptr, Const(x), false, Rows(around, 1, s.out));
    EXPECT_TRUE((around.row(0).array() == 99).all());
    EXPECT_TRUE((around.row(s.out + 1).array() == 99).all());
  }
}

TEST(DenseTest, BitsOfASampleDoNotDependOnItsTile) {
  Random random(3);
  for (const Shape& s : Shapes()) {
    const Tile w = Normals(s.out, s.in, 1, random).cast<float>();
    const Eigen::VectorXf b = Normals(s.out, 1, 1, random).cast<float>();
    Scratch scratch;
    const Eigen::MatrixXd all = Normals(s.in, s.columns, 1, random);
    const TileMap x = Put(all, scratch);
    TileMap y = TakeTile(scratch, s.out, s.columns);
    Dense(w.data(), b.data(), Const(x), true, y);
    const int64_t column = s.columns / 2;
    const TileMap one = Put(all.col(column), scratch);
    TileMap alone = TakeTile(scratch, s.out, 1);
    Dense(w.data(), b.data(), Const(one), true, alone);
    EXPECT_EQ(Get(alone), Eigen::MatrixXd(Get(y).col(column)));
  }
}

}  // namespace
}  // namespace aisivi
