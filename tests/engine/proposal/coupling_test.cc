#include "engine/proposal/coupling.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <memory>
#include <vector>

#include "engine/proposal/couplings.h"
#include "tests/engine/nn/testing.h"
#include "tests/engine/proposal/testing.h"

namespace aisivi {
namespace {

using test::Get;
using test::Normals;
using test::Put;
using test::Random;

struct Shape {
  int64_t latent;
  bool keep_first;
  int64_t dim, hidden;
};

const std::vector<Shape>& Shapes() {
  static const auto* const kShapes = new std::vector<Shape>{
      {1, true, 1, 4},  {1, false, 2, 3},  {2, true, 2, 8},   {3, false, 1, 5},
      {5, true, 3, 16}, {8, false, 4, 11}, {17, true, 2, 20}, {22, false, 22, 30}};
  return *kShapes;
}

// A coupling in the middle of a flow: its parameters begin at kOffset.
constexpr int64_t kOffset = 3;

using Layer = std::shared_ptr<const CouplingLayer>;

Layer Make(const CouplingEntry& kind, const Shape& s, bool identity_start) {
  const int64_t even = (s.latent + 1) / 2, odd = s.latent / 2;
  CouplingPlace place{0, even, even, odd, s.dim, s.hidden, kOffset};
  if (!s.keep_first) place = {even, odd, 0, even, s.dim, s.hidden, kOffset};
  return kind.make(place, identity_start);
}

Eigen::VectorXf StartParameters(const CouplingLayer& coupling) {
  Eigen::VectorXf parameters = Eigen::VectorXf::Constant(kOffset + coupling.parameter_count(), 9);
  coupling.Initialize({3, RngPurpose::kProposalInit, 0, 0}, parameters.data());
  EXPECT_TRUE((parameters.head(kOffset).array() == 9.0f).all());
  return parameters;
}

Eigen::VectorXf RandomParameters(const CouplingLayer& coupling, Random& random) {
  Eigen::VectorXf parameters = StartParameters(coupling);
  test::Perturb(0.3, random, &parameters);
  return parameters;
}

struct Mapped {
  Eigen::MatrixXd u;
  Eigen::VectorXd log_det;
};

// Forward at columns that all belong to points of their own (width 1) or share one point each.
Mapped Forward(const CouplingLayer& coupling, const Eigen::VectorXf& parameters,
               const Eigen::MatrixXf& x, int64_t width, const Eigen::MatrixXd& u) {
  Scratch scratch;
  Eigen::MatrixXf context(coupling.context_rows(), x.cols());
  coupling.Context(parameters.data(), x, context);
  TileMap tile = Put(u, scratch);
  std::vector<double> log_det(u.cols(), 0.5);
  coupling.Forward(parameters.data(), context.data(), context.rows(), width, scratch, tile,
                   log_det.data());
  Mapped result{Get(tile), Eigen::VectorXd(u.cols())};
  for (int64_t i = 0; i < u.cols(); ++i) result.log_det[i] = log_det[i] - 0.5;
  return result;
}

Mapped Inverse(const CouplingLayer& coupling, const Eigen::VectorXf& parameters,
               const Eigen::MatrixXf& x, const Eigen::MatrixXd& u) {
  Scratch scratch;
  const TileMap points = Put(x.cast<double>(), scratch);
  TileMap tile = Put(u, scratch);
  std::vector<double> log_det(u.cols(), 0.5);
  coupling.Inverse(parameters.data(), Const(points), scratch, tile, log_det.data());
  Mapped result{Get(tile), Eigen::VectorXd(u.cols())};
  for (int64_t i = 0; i < u.cols(); ++i) result.log_det[i] = log_det[i] - 0.5;
  return result;
}

// What holds of every kind.
class CouplingTest : public testing::TestWithParam<CouplingEntry> {
 protected:
  const CouplingEntry& Kind() const { return GetParam(); }
};

TEST_P(CouplingTest, InverseUndoesForward) {
  Random random(1);
  for (const Shape& shape : Shapes()) {
    for (const bool identity : {false, true}) {
      const Layer coupling = Make(Kind(), shape, identity);
      const Eigen::VectorXf parameters = RandomParameters(*coupling, random);
      const Eigen::MatrixXf x = Normals(shape.dim, 19, 1, random).cast<float>();
      const Eigen::MatrixXd u = test::Rounded(Normals(shape.latent, 19, 1, random));
      const Mapped there = Forward(*coupling, parameters, x, 1, u);
      const Mapped back = Inverse(*coupling, parameters, x, there.u);
      EXPECT_LT((back.u - u).cwiseAbs().maxCoeff(), 2e-3) << shape.latent;
      EXPECT_LT((back.log_det - there.log_det).cwiseAbs().maxCoeff(), 2e-3) << shape.latent;
      EXPECT_GT((there.u - u).norm(), 0.1);
    }
  }
}

// A narrow tile holds several samples of each of several points.
TEST_P(CouplingTest, SamplesOfAPointShareItsContext) {
  Random random(2);
  for (const Shape& shape : Shapes()) {
    const Layer coupling = Make(Kind(), shape, true);
    const Eigen::VectorXf parameters = RandomParameters(*coupling, random);
    for (const int64_t width : {1, 5, 16, 30}) {
      const int64_t points = 4, n = points * width;
      const Eigen::MatrixXf x = Normals(shape.dim, points, 1, random).cast<float>();
      Eigen::MatrixXf spread(shape.dim, n);
      for (int64_t i = 0; i < n; ++i) spread.col(i) = x.col(i / width);
      const Eigen::MatrixXd u = Normals(shape.latent, n, 1, random);
      const Mapped shared = Forward(*coupling, parameters, x, width, u);
      const Mapped apart = Forward(*coupling, parameters, spread, 1, u);
      EXPECT_LT((shared.u - apart.u).cwiseAbs().maxCoeff(), 1e-4);
      EXPECT_LT((shared.log_det - apart.log_det).cwiseAbs().maxCoeff(), 1e-4);
    }
  }
}

TEST_P(CouplingTest, LogDetIsThatOfTheJacobian) {
  constexpr double kStep = 2e-3;  // smooth almost anywhere
  Random random(3);
  for (const Shape& shape : Shapes()) {
    if (shape.latent > 8) continue;
    const Layer coupling = Make(Kind(), shape, true);
    const Eigen::VectorXf parameters = RandomParameters(*coupling, random);
    const Eigen::MatrixXf x = Normals(shape.dim, 1, 1, random).cast<float>();
    const Eigen::MatrixXd u = test::Rounded(Normals(shape.latent, 1, 1, random));
    Eigen::MatrixXd up = u.replicate(1, shape.latent), down = up;
    up.diagonal().array() += kStep;
    down.diagonal().array() -= kStep;
    const Eigen::MatrixXd jacobian = (Forward(*coupling, parameters, x, shape.latent, up).u -
                                      Forward(*coupling, parameters, x, shape.latent, down).u) /
                                     (2 * kStep);
    const double log_det = std::log(std::abs(jacobian.determinant()));
    EXPECT_NEAR(Forward(*coupling, parameters, x, 1, u).log_det[0], log_det, 5e-3) << shape.latent;
  }
}

// Affine without an identity start: a scale of log 2. Else u itself.
TEST_P(CouplingTest, StartsAsItsHeaderSays) {
  Random random(4);
  for (const Shape& shape : Shapes()) {
    const Eigen::MatrixXf x = Normals(shape.dim, 7, 1, random).cast<float>();
    const Eigen::MatrixXd u = test::Rounded(Normals(shape.latent, 7, 2, random));
    const int64_t even = (shape.latent + 1) / 2;
    const int64_t changed = shape.keep_first ? shape.latent / 2 : even;
    const int64_t first = shape.keep_first ? even : 0;
    for (const bool identity : {true, false}) {
      const Layer coupling = Make(Kind(), shape, identity);
      Eigen::VectorXf parameters = StartParameters(*coupling);
      const Mapped mapped = Forward(*coupling, parameters, x, 1, u);
      Eigen::MatrixXd expected = u;
      const double scale = identity || Kind().name != "affine" ? 1 : std::log(2.0);
      expected.middleRows(first, changed) *= scale;
      EXPECT_LT((mapped.u - expected).cwiseAbs().maxCoeff(), 2e-6);
      const double log_det = static_cast<double>(changed) * std::log(scale);
      EXPECT_LT((mapped.log_det.array() - log_det).abs().maxCoeff(), 1e-5);
      coupling->NormaliseForward(parameters.data());
      EXPECT_LT((Forward(*coupling, parameters, x, 1, u).u - u).cwiseAbs().maxCoeff(), 2e-6);
    }
  }
}

// d loss / d parameters and d loss / d u of Σ gᵀ u(v) + w Σ log |det|, by differences, at points
// that spread as far as `reach`.
void CheckGradients(const CouplingEntry& kind, float reach, Random& random) {
  constexpr float kStep = 1e-3f, kWeight = 0.7f;
  constexpr int64_t kCount = 21;
  for (const Shape& shape : Shapes()) {
    if (shape.latent > 8) continue;
    const Layer coupling = Make(kind, shape, true);
    Eigen::VectorXf parameters = RandomParameters(*coupling, random);
    const Eigen::MatrixXf x = Normals(shape.dim, kCount, reach, random).cast<float>();
    Eigen::MatrixXf v = Normals(shape.latent, kCount, 1, random).cast<float>();
    const Eigen::MatrixXd g = test::Rounded(Normals(shape.latent, kCount, 1, random));
    const auto loss = [&] {
      const Mapped mapped = Inverse(*coupling, parameters, x, v.cast<double>());
      return g.cwiseProduct(mapped.u).sum() + static_cast<double>(kWeight) * mapped.log_det.sum();
    };
    Scratch scratch;
    const TileMap points = Put(x.cast<double>(), scratch);
    TileMap u = Put(v.cast<double>(), scratch), grad_u = Put(g, scratch);
    std::vector<double> log_det(kCount, 0.0);
    const CouplingLayer::Trace trace =
        coupling->Inverse(parameters.data(), Const(points), scratch, u, log_det.data());
    TileMap grad_context = TakeTile(scratch, coupling->context_rows(), kCount);
    Eigen::VectorXf gradient = Eigen::VectorXf::Ones(parameters.size());
    coupling->Backward(parameters.data(), trace, kWeight, scratch, grad_u, grad_context,
                       gradient.data());
    coupling->ContextBackward(Const(grad_context), Const(points), gradient.data());
    const test::GradientCheck in_parameters = test::CheckGradient(
        loss, kStep, (gradient.array() - 1).matrix().cast<double>(), parameters);
    EXPECT_LT(in_parameters.error, 0.01) << shape.latent;
    EXPECT_GT(in_parameters.smooth, 0.7) << shape.latent;
    EXPECT_TRUE((gradient.head(kOffset).array() == 1.0f).all());
    const Eigen::MatrixXd grad_v = Get(grad_u);
    const test::GradientCheck in_u = test::CheckGradient(
        loss, kStep, Eigen::Map<const Eigen::VectorXd>(grad_v.data(), grad_v.size()),
        Eigen::Map<Eigen::VectorXf>(v.data(), v.size()));
    EXPECT_LT(in_u.error, 0.01) << shape.latent;
    EXPECT_GT(in_u.smooth, 0.7) << shape.latent;
  }
}

TEST_P(CouplingTest, GradientsAreThoseOfTheInverse) {
  Random random(8);
  CheckGradients(Kind(), 1, random);
}

// Where an affine scale meets its least, from which it does not move.
TEST_P(CouplingTest, GradientsAreThoseOfTheInverseFarOut) {
  Random random(9);
  CheckGradients(Kind(), 6, random);
}

// The density of a far point's own latents stays one that can be computed: a hundred standard
// deviations out, where no scale is below the least, the inverse grows no faster than that.
TEST_P(CouplingTest, TheInverseIsBoundedFarOut) {
  Random random(10);
  for (const Shape& shape : Shapes()) {
    const Layer coupling = Make(Kind(), shape, true);
    const Eigen::VectorXf parameters = RandomParameters(*coupling, random);
    const Eigen::MatrixXf x = Normals(shape.dim, 50, 100, random).cast<float>();
    const Eigen::MatrixXd v = Normals(shape.latent, 50, 1, random);
    const Mapped mapped = Inverse(*coupling, parameters, x, v);
    EXPECT_LT(mapped.u.cwiseAbs().maxCoeff(), 1e6) << shape.latent;
    EXPECT_GT(mapped.log_det.minCoeff(), static_cast<double>(shape.latent) * std::log(0.02))
        << shape.latent;
  }
}

TEST_P(CouplingTest, NormalisationIsSetFromTheBatch) {
  Random random(5);
  for (const Shape& shape : Shapes()) {
    const Layer coupling = Make(Kind(), shape, false);
    Eigen::VectorXf parameters = RandomParameters(*coupling, random);
    constexpr int64_t kCount = 200;
    const Eigen::MatrixXf x = Normals(shape.dim, kCount, 1, random).cast<float>();
    Scratch scratch;
    Eigen::MatrixXd batch = Normals(shape.latent, kCount, 3, random);
    batch.colwise() += Eigen::VectorXd::LinSpaced(shape.latent, -4, 10);
    TileMap u = Put(batch, scratch);
    coupling->InitializeNormalisation(Const(u), parameters.data());
    const TileMap points = Put(x.cast<double>(), scratch);
    std::vector<double> log_det(kCount, 0.0);
    const CouplingLayer::Trace trace =
        coupling->Inverse(parameters.data(), Const(points), scratch, u, log_det.data());
    const Eigen::MatrixXd normed = Get(trace.normed);
    for (int64_t e = 0; e < shape.latent; ++e) {
      const Eigen::ArrayXd row = normed.row(e);
      EXPECT_NEAR(row.mean(), 0, 1e-5);
      EXPECT_NEAR((row - row.mean()).square().mean(), 1, 1e-4);
    }
  }
}

TEST_P(CouplingTest, ABatchWithoutSpreadLeavesTheNormalisationAlone) {
  const Layer coupling = Make(Kind(), Shapes()[2], true);
  Random random(6);
  const Eigen::VectorXf before = RandomParameters(*coupling, random);
  Eigen::VectorXf after = before;
  Scratch scratch;
  for (const double value : {3.0, std::nan(""), static_cast<double>(INFINITY)}) {
    const TileMap u = Put(Eigen::MatrixXd::Constant(2, 10, value), scratch);
    coupling->InitializeNormalisation(Const(u), after.data());
    EXPECT_EQ(after, before) << value;
  }
}

// Parameters as a training that ran away would leave them: numbers, or NaN that can be seen.
TEST_P(CouplingTest, FarParametersStayFinite) {
  Random random(7);
  for (const Shape& shape : Shapes()) {
    const Layer coupling = Make(Kind(), shape, true);
    Eigen::VectorXf parameters = StartParameters(*coupling);
    test::Perturb(8, random, &parameters);
    parameters.tail(2 * shape.latent).setConstant(0.5f);  // the normalisation
    const Eigen::MatrixXf x = Normals(shape.dim, 19, 1, random).cast<float>();
    const Eigen::MatrixXd u = test::Rounded(Normals(shape.latent, 19, 1, random));
    for (const Mapped& mapped :
         {Forward(*coupling, parameters, x, 1, u), Inverse(*coupling, parameters, x, u)}) {
      EXPECT_TRUE(mapped.u.allFinite()) << shape.latent;
      EXPECT_TRUE(mapped.log_det.allFinite()) << shape.latent;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, CouplingTest, testing::ValuesIn(CouplingRegistry()),
                         [](const auto& info) { return info.param.name; });

TEST(CouplingRegistryTest, NamesFindTheirKind) {
  const std::vector<std::string> names = CouplingNames();
  ASSERT_EQ(names.size(), CouplingRegistry().size());
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(FindCoupling(names[i]), static_cast<CouplingKind>(i));
    EXPECT_EQ(EntryOf(static_cast<CouplingKind>(i)).name, names[i]);
    EXPECT_FALSE(EntryOf(static_cast<CouplingKind>(i)).doc.empty());
  }
  EXPECT_EQ(FindCoupling("affine"), CouplingKind::kAffine);  // their numbers are in model files
  EXPECT_EQ(FindCoupling("spline"), CouplingKind::kSpline);
}

TEST(CouplingRegistryTest, SizesAreThoseOfTheParameters) {
  for (const CouplingEntry& kind : CouplingRegistry()) {
    for (const Shape& shape : Shapes()) {
      const int64_t even = (shape.latent + 1) / 2, odd = shape.latent / 2;
      const int64_t kept = shape.keep_first ? even : odd, changed = shape.latent - kept;
      EXPECT_EQ(Make(kind, shape, true)->parameter_count(),
                kind.networks * shape.hidden * (kept + shape.dim + 1) +
                    kind.outputs * changed * (shape.hidden + 1) + 2 * shape.latent)
          << kind.name;
    }
  }
}

}  // namespace
}  // namespace aisivi
