#include "engine/model/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "engine/evidence/evidence.h"
#include "tests/engine/model/testing.h"

namespace aisivi {
namespace {

using test::MakeComponent;
using test::MakeModel;
using test::Normals;
using test::Random;

// Checksums are FNV-1a over all that comes before; a forger knows that too.
std::string Signed(std::string body) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  body.append(reinterpret_cast<const char*>(&hash), sizeof(hash));
  return body;
}

DrawSet Draws(int64_t dim, int64_t count, Random& random) {
  return {.z = Normals(dim, count, 2, random), .log_p = Normals(count, 1, 1, random), .log_z = -7};
}

std::vector<std::shared_ptr<const Model>> Models() {
  Random random(1);
  const auto one = [&](const test::ComponentShape& shape, double weight = 1) {
    return MakeComponent(shape, Normals(shape.dim, 1, 3, random),
                         test::RandomScale(shape.dim, random), weight, random);
  };
  const test::ComponentShape pair = {.dim = 2, .latent = 2, .couplings = 1, .wildness = 0.2};
  std::vector<std::shared_ptr<const Model>> models;
  models.push_back(MakeModel({one({.dim = 1, .latent = 1})}));
  models.push_back(
      MakeModel({one({.dim = 3, .latent = 3, .sigma_network = true, .wildness = 0.2})}));
  models.push_back(MakeModel({one({.dim = 3,
                                   .latent = 2,
                                   .skip = false,
                                   .gaussian = false,
                                   .couplings = 4,
                                   .wildness = 0.2})}));
  models.push_back(
      MakeModel({one({.dim = 2, .latent = 5, .skip = false, .proposal = false, .wildness = 0.2})}));
  models.push_back(MakeModel({one(pair, 0.25), one(pair, 0.75)}));
  models.push_back(MakeModel({one({.dim = 2,
                                   .latent = 2,
                                   .couplings = 2,
                                   .coupling = CouplingKind::kSpline,
                                   .wildness = 0.2})}));
  models.push_back(MakeModel(
      {one({.dim = 3, .latent = 3, .proposal = false, .wildness = 0.2, .particles = 6})}));
  models.push_back(MakeModel(Draws(3, 40, random)));
  return models;
}

// With E = D half of the weights of an affine coupling are on the point, of a spline's a few.
TEST(InnerSampleFlopTest, TheWeightsOnThePointAreNotCounted) {
  test::Random random(5);
  for (const CouplingKind kind : {CouplingKind::kAffine, CouplingKind::kSpline}) {
    const Component component =
        test::MakeComponent({.dim = 6, .latent = 6, .coupling = kind}, Eigen::VectorXd::Zero(6),
                            Eigen::MatrixXd::Identity(6, 6), 1, random);
    const auto family = static_cast<double>(component.family.parameters().size());
    const auto proposal = static_cast<double>(component.proposal.parameters().size());
    const CouplingEntry& entry = EntryOf(kind);
    const double live = static_cast<double>(entry.networks + entry.outputs);
    const double share = live / (live + 2.0 * static_cast<double>(entry.networks));
    EXPECT_DOUBLE_EQ(InnerSampleFlop(component), 2 * (family + share * proposal)) << entry.name;
    EXPECT_EQ(share == 0.5, kind == CouplingKind::kAffine);
  }
}

TEST(ModelTest, BytesRoundTripBitForBit) {
  ThreadPool pool(2);
  for (const auto& model : Models()) {
    const std::string bytes = model->Serialize();
    const absl::StatusOr<std::shared_ptr<const Model>> parsed = Model::Parse(bytes);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ((*parsed)->Serialize(), bytes);
    EXPECT_EQ((*parsed)->dim(), model->dim());
    EXPECT_EQ((*parsed)->latent_dim(), model->latent_dim());
    const auto before = Draw(*model, nullptr, 7, 0, 300, 20, pool);
    const auto after = Draw(**parsed, nullptr, 7, 0, 300, 20, pool);
    ASSERT_TRUE(before.ok() && after.ok());
    EXPECT_EQ(before->z, after->z);
    EXPECT_EQ(before->log_q, after->log_q);
    EXPECT_EQ(before->log_q_upper, after->log_q_upper);
  }
}

TEST(ModelTest, EveryTruncationIsAnError) {
  for (const auto& model : Models()) {
    const std::string bytes = model->Serialize();
    for (size_t n = 0; n < bytes.size(); n += n < 400 ? 1 : 37) {
      const absl::Status plain = Model::Parse(std::string_view(bytes).substr(0, n)).status();
      EXPECT_FALSE(plain.ok()) << n;
      EXPECT_TRUE(plain.code() == absl::StatusCode::kInvalidArgument ||
                  plain.code() == absl::StatusCode::kDataLoss);
      // Cut before the checksum and signed anew, the contents themselves must be found wanting.
      if (n + 8 < bytes.size()) {
        EXPECT_FALSE(Model::Parse(Signed(bytes.substr(0, n))).ok()) << n;
      }
    }
    EXPECT_FALSE(Model::Parse(bytes + "x").ok());
    EXPECT_FALSE(Model::Parse(Signed(bytes.substr(0, bytes.size() - 8) + "x")).ok());
  }
}

TEST(ModelTest, EveryFlippedBitIsFound) {
  Random random(2);
  for (const auto& model : Models()) {
    const std::string bytes = model->Serialize();
    for (int i = 0; i < 500; ++i) {
      std::string broken = bytes;
      const int64_t at = test::Between(0, static_cast<int64_t>(bytes.size()) - 1, random);
      broken[at] = static_cast<char>(broken[at] ^ (1 << test::Between(0, 7, random)));
      EXPECT_FALSE(Model::Parse(broken).ok()) << at;
    }
  }
}

// Damage under a checksum that fits: an error or a model that can be drawn from, never a crash.
TEST(ModelTest, SignedNonsenseDoesNotCrash) {
  Random random(3);
  ThreadPool pool(1);
  int drawn = 0;
  for (const auto& model : Models()) {
    std::string body = model->Serialize();
    body.resize(body.size() - 8);
    for (int i = 0; i < 300; ++i) {
      std::string broken = body;
      for (int64_t flips = test::Between(1, 3, random); flips > 0; --flips) {
        // Most damage goes to the head, where the sizes are.
        const int64_t end = static_cast<int64_t>(i % 3 == 0 ? body.size() : 80);
        const int64_t at = test::Between(12, end - 1, random);
        broken[at] = static_cast<char>(test::Between(0, 255, random));
      }
      const absl::StatusOr<std::shared_ptr<const Model>> parsed = Model::Parse(Signed(broken));
      if (!parsed.ok()) continue;
      EXPECT_TRUE(Draw(**parsed, nullptr, 1, 0, 3, 2, pool).ok());
      ++drawn;
    }
  }
  EXPECT_GT(drawn, 50) << "the damage never got past the parser";
}

TEST(ModelTest, OtherVersionsAreRefused) {
  std::string body = Models()[0]->Serialize();
  body.resize(body.size() - 8);
  for (const uint32_t version : {0u, 5u, 0x7fffffffu}) {
    std::string other = body;
    std::memcpy(other.data() + 8, &version, sizeof(version));
    const absl::Status status = Model::Parse(Signed(other)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("version"), absl::string_view::npos) << status;
  }
}

uint32_t VersionOf(const std::string& bytes) {
  uint32_t version = 0;
  std::memcpy(&version, bytes.data() + 8, sizeof(version));
  return version;
}

// Versions 1 to 3 know affine couplings only. What they can hold is still written in them, so that
// nothing changed for those who keep models.
TEST(ModelTest, AVersionIsTheFirstThatCanHoldTheModel) {
  Random random(7);
  const auto one = [&](CouplingKind kind, bool proposal, double weight) {
    return MakeComponent(
        {.dim = 2, .latent = 2, .proposal = proposal, .coupling = kind, .wildness = 0.2},
        Eigen::VectorXd::Zero(2), Eigen::MatrixXd::Identity(2, 2), weight, random);
  };
  constexpr CouplingKind kAffine = CouplingKind::kAffine, kSpline = CouplingKind::kSpline;
  EXPECT_EQ(VersionOf(MakeModel({one(kAffine, true, 1)})->Serialize()), 1u);
  EXPECT_EQ(VersionOf(MakeModel({one(kSpline, false, 1)})->Serialize()), 1u);
  EXPECT_EQ(VersionOf(MakeModel({one(kSpline, true, 1)})->Serialize()), 4u);
  // One component with a spline is enough, and the others keep their kind.
  const std::string mixed =
      MakeModel({one(kAffine, true, 0.5), one(kSpline, true, 0.5)})->Serialize();
  EXPECT_EQ(VersionOf(mixed), 4u);
  const auto parsed = Model::Parse(mixed);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const std::vector<Component>& components = (*parsed)->state().components;
  EXPECT_EQ(components[0].proposal.config().coupling, kAffine);
  EXPECT_EQ(components[1].proposal.config().coupling, kSpline);
}

// A kind that is none, where the kind stands: before the 8 bytes of each of couplings, their units
// and the base's units, the length of the parameters and these.
TEST(ModelTest, UnknownKindsOfCouplingsAreRefused) {
  Random random(8);
  const Component component =
      MakeComponent({.coupling = CouplingKind::kSpline, .wildness = 0.2}, Eigen::VectorXd::Zero(1),
                    Eigen::MatrixXd::Identity(1, 1), 1, random);
  const size_t tail = component.proposal.parameters().size() * sizeof(float) + 4 * sizeof(int64_t);
  std::string body = MakeModel({component})->Serialize();
  body.resize(body.size() - 8);
  char& kind = body[body.size() - tail - 1];
  ASSERT_EQ(kind, static_cast<char>(CouplingKind::kSpline));
  EXPECT_TRUE(Model::Parse(Signed(body)).ok());
  for (const int other : {0, 2, 255}) {  // 0 is a kind, of fewer parameters
    kind = static_cast<char>(other);
    EXPECT_EQ(Model::Parse(Signed(body)).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(ModelTest, OtherBytesAreRefused) {
  for (const std::string& bytes : {std::string(), std::string("AISIVIM"), std::string(1000, '\0'),
                                   std::string(1000, 'x'), Signed(std::string("AISIVIM\0", 8))}) {
    EXPECT_EQ(Model::Parse(bytes).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(ModelTest, ComponentsOfDifferentShapesAreRefused) {
  Random random(4);
  const auto one = [&](int64_t dim, int64_t latent) {
    return MakeComponent(
        {.dim = dim, .latent = latent, .skip = false, .proposal = false, .wildness = 0.2},
        Eigen::VectorXd::Zero(dim), Eigen::MatrixXd::Identity(dim, dim), 0.5, random);
  };
  EXPECT_TRUE(Model::Parse(MakeModel({one(2, 3), one(2, 3)})->Serialize()).ok());
  EXPECT_FALSE(Model::Parse(MakeModel({one(2, 3), one(1, 3)})->Serialize()).ok());
  EXPECT_FALSE(Model::Parse(MakeModel({one(2, 2), one(2, 3)})->Serialize()).ok());
}

TEST(ModelTest, DrawsThatAreNotNumbersAreRefused) {
  Random random(5);
  const DrawSet draws = Draws(2, 5, random);
  EXPECT_TRUE(Model::Parse(MakeModel(draws)->Serialize()).ok());
  EXPECT_EQ(MakeModel(draws)->latent_dim(), 0);
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    DrawSet point = draws, log_p = draws, log_z = draws;
    point.z(1, 3) = log_p.log_p[4] = log_z.log_z = value;
    for (const DrawSet& spoiled : {point, log_p, log_z}) {
      EXPECT_EQ(Model::Parse(MakeModel(spoiled)->Serialize()).status().code(),
                absl::StatusCode::kInvalidArgument);
    }
  }
}

TEST(ModelTest, ASingleParameterThatIsNotFiniteIsFound) {
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    Random random(6);
    ModelState model;
    for (const bool proposal : {true, false}) {
      model.components.push_back(MakeComponent({.proposal = proposal}, Eigen::VectorXd::Zero(1),
                                               Eigen::MatrixXd::Identity(1, 1), 0.5, random));
    }
    EXPECT_TRUE(ParametersAreFinite(model));
    ModelState family = model, proposal = model, unused = model;
    family.components[1].family.parameters()[3] = static_cast<float>(value);
    proposal.components[0].proposal.parameters()[3] = static_cast<float>(value);
    unused.components[1].proposal.parameters() = Eigen::VectorXf::Constant(1, HUGE_VALF);
    EXPECT_FALSE(ParametersAreFinite(family));
    EXPECT_FALSE(ParametersAreFinite(proposal));
    EXPECT_TRUE(ParametersAreFinite(unused));
  }
}

TEST(AffineMapTest, SolveUndoesApply) {
  Random random(5);
  for (const int64_t dim : {1, 2, 7}) {
    const AffineMap map{Normals(dim, 1, 3, random), test::RandomScale(dim, random)};
    const Eigen::MatrixXf x = Normals(dim, 9, 1, random).cast<float>();
    const Eigen::MatrixXd z = map.Apply(x);
    EXPECT_LT((z - ((map.scale * x.cast<double>()).colwise() + map.shift)).norm(), 1e-12);
    EXPECT_LT((map.Solve(z) - x).norm(), 1e-5f);
    EXPECT_NEAR(map.LogDet(), std::log(map.scale.diagonal().prod()), 1e-12);
  }
  EXPECT_EQ(AffineMap::Identity(3).LogDet(), 0);
}

}  // namespace
}  // namespace aisivi
