// What every registered target must do. A new entry of the registry is tested with no edit here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "engine/transforms/names.h"
#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

using ::testing::StartsWith;

const double kNan = std::numeric_limits<double>::quiet_NaN();

class TargetConformanceTest : public ::testing::TestWithParam<std::string> {
 protected:
  const TargetEntry& entry() const { return **FindTarget(GetParam()); }

  // The example, and the defaults where nothing is required.
  std::vector<std::unique_ptr<const Target>> Instances() const {
    std::vector<std::unique_ptr<const Target>> instances;
    instances.push_back(test::Make(GetParam(), entry().example));
    bool required = false;
    for (const ParameterDoc& doc : entry().parameters) required |= doc.default_value.empty();
    if (!required) instances.push_back(test::Make(GetParam()));
    return instances;
  }

  // The example with one value replaced must be refused in the name of that parameter.
  void ExpectRefused(const std::string& name, const ParameterValue& value) const {
    TargetParameters parameters = entry().example;
    parameters[name] = value;
    EXPECT_THAT(test::Error(GetParam(), parameters), StartsWith(name + ": "));
  }
};

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const TargetEntry& entry : TargetRegistry()) names.push_back(entry.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Registry, TargetConformanceTest, ::testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

TEST_P(TargetConformanceTest, IsDocumented) {
  EXPECT_GT(entry().doc.size(), 20u);
  EXPECT_FALSE(entry().dimension_rule.empty());
  for (const ParameterDoc& doc : entry().parameters) EXPECT_FALSE(doc.doc.empty()) << doc.name;
}

TEST_P(TargetConformanceTest, CoordinateNamesAreUniqueAndComplete) {
  for (const auto& target : Instances()) {
    const std::vector<std::string> names = target->CoordinateNames();
    EXPECT_EQ(static_cast<int>(names.size()), target->dim());
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  }
}

// Every element has a name of its own and a number, and comes of its own point alone.
TEST_P(TargetConformanceTest, DrawsAreShownAsVariables) {
  for (const auto& target : Instances()) {
    const std::vector<std::string> names = ElementNames(target->Variables());
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    const Eigen::MatrixXd z = test::RandomMatrix(target->dim(), 5, 1.0, 3);
    Eigen::MatrixXd values, one;
    ASSERT_TRUE(target->Constrain(z, 1, 0, &values).ok());
    ASSERT_EQ(values.rows(), static_cast<Eigen::Index>(names.size()));
    ASSERT_EQ(values.cols(), 5);
    EXPECT_TRUE(values.allFinite());
    ASSERT_TRUE(target->Constrain(z.col(3), 1, 3, &one).ok());
    EXPECT_EQ(one.col(0), values.col(3));
    ASSERT_TRUE(target->Constrain(z.leftCols(0), 1, 0, &values).ok());
    EXPECT_EQ(values.cols(), 0);
  }
}

TEST_P(TargetConformanceTest, ScoreIsTheGradient) {
  for (const auto& target : Instances()) {
    for (double scale : {0.1, 1.0, 3.0}) {
      const Eigen::MatrixXd z = test::RandomMatrix(target->dim(), 4, scale, 17);
      const Eigen::VectorXd log_density = test::LogDensity(*target, z);
      const Eigen::MatrixXd score = test::Score(*target, z);
      ASSERT_TRUE(log_density.allFinite());
      for (int d = 0; d < target->dim(); ++d) {
        Eigen::MatrixXd up = z, down = z;
        const double step = 1e-5;
        up.row(d).array() += step;
        down.row(d).array() -= step;
        const Eigen::VectorXd difference =
            (test::LogDensity(*target, up) - test::LogDensity(*target, down)) / (2 * step);
        for (int n = 0; n < z.cols(); ++n) {
          const double size =
              1 + score.col(n).cwiseAbs().maxCoeff() + 1e-3 * std::abs(log_density(n));
          EXPECT_NEAR(score(d, n), difference(n), 1e-6 * size)
              << "coordinate " << d << " point " << n << " scale " << scale;
        }
      }
    }
  }
}

TEST_P(TargetConformanceTest, BatchEqualsColumns) {
  for (const auto& target : Instances()) {
    // More points than any internal tile, inside a larger matrix.
    const int count = 300;
    const Eigen::MatrixXd all = test::RandomMatrix(target->dim() + 2, count + 3, 1.0, 5);
    const Eigen::Ref<const Eigen::MatrixXd> z = all.block(1, 2, target->dim(), count);
    const Eigen::VectorXd log_density = test::LogDensity(*target, z);
    const Eigen::MatrixXd score = test::Score(*target, z);
    ASSERT_EQ(log_density.size(), count);
    ASSERT_EQ(score.rows(), target->dim());
    ASSERT_EQ(score.cols(), count);
    for (int n = 0; n < count; n += 13) {
      const double one = test::LogDensity(*target, z.col(n))(0);
      EXPECT_NEAR(log_density(n), one, 1e-11 * (1 + std::abs(one)));
      const Eigen::VectorXd g = test::Score(*target, z.col(n));
      EXPECT_LT((score.col(n) - g).cwiseAbs().maxCoeff(), 1e-10 * (1 + g.cwiseAbs().maxCoeff()));
    }
  }
}

TEST_P(TargetConformanceTest, EmptyBatchGivesEmptyResults) {
  for (const auto& target : Instances()) {
    Eigen::VectorXd log_density(7);
    Eigen::MatrixXd score(7, 7);
    ASSERT_TRUE(target->Evaluate(Eigen::MatrixXd(target->dim(), 0), &log_density, &score).ok());
    EXPECT_EQ(log_density.size(), 0);
    EXPECT_EQ(score.rows(), target->dim());
    EXPECT_EQ(score.cols(), 0);
  }
}

TEST_P(TargetConformanceTest, WrongDimensionIsAnError) {
  for (const auto& target : Instances()) {
    Eigen::VectorXd log_density;
    const Eigen::MatrixXd z = Eigen::MatrixXd::Zero(target->dim() + 1, 2);
    EXPECT_EQ(target->Evaluate(z, &log_density, nullptr).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_P(TargetConformanceTest, ExtremePointsAreNeverGood) {
  for (const auto& target : Instances()) {
    const double at_origin =
        test::LogDensity(*target, Eigen::MatrixXd::Constant(target->dim(), 1, 0.1))(0);
    for (double size : {1e6, -1e6, 1e150, -1e150, 1e300}) {
      const Eigen::MatrixXd z = Eigen::MatrixXd::Constant(target->dim(), 2, size);
      const double far = test::LogDensity(*target, z)(0);
      EXPECT_FALSE(far > at_origin) << size << " gives " << far;  // NaN is allowed
      EXPECT_EQ(test::Score(*target, z).cols(), 2);
    }
  }
}

TEST_P(TargetConformanceTest, ThreadsAgree) {
  for (const auto& target : Instances()) {
    const Eigen::MatrixXd z = test::RandomMatrix(target->dim(), 64, 1.0, 3);
    const Eigen::VectorXd expected = test::LogDensity(*target, z);
    const Eigen::MatrixXd expected_score = test::Score(*target, z);
    int differences[2] = {0, 0};
    const auto work = [&](int* count) {
      for (int i = 0; i < 20; ++i) {
        Eigen::VectorXd log_density;
        Eigen::MatrixXd score;
        const bool ok = target->Evaluate(z, &log_density, &score).ok();
        if (!ok || log_density != expected || score != expected_score) ++*count;
      }
    };
    std::thread first(work, &differences[0]), second(work, &differences[1]);
    first.join();
    second.join();
    EXPECT_EQ(differences[0], 0);
    EXPECT_EQ(differences[1], 0);
  }
}

TEST_P(TargetConformanceTest, MissingParameterIsNamed) {
  for (const ParameterDoc& doc : entry().parameters) {
    if (!doc.default_value.empty()) continue;
    TargetParameters parameters = entry().example;
    parameters.erase(doc.name);
    EXPECT_EQ(test::Error(GetParam(), parameters).rfind(doc.name + ": required", 0), 0u);
  }
}

TEST_P(TargetConformanceTest, UnknownParameterIsNamed) { ExpectRefused("no_such_thing", 1.0); }

TEST_P(TargetConformanceTest, WrongKindIsNamed) {
  const std::vector<ParameterValue> values = {
      2.0, Eigen::VectorXd::Ones(2).eval(), Eigen::MatrixXd::Identity(2, 2).eval(),
      std::vector<Eigen::MatrixXd>{Eigen::MatrixXd::Identity(2, 2)}};
  for (const ParameterDoc& doc : entry().parameters) {
    const int kind = static_cast<int>(doc.kind);
    const size_t right = kind <= static_cast<int>(ParameterKind::kInteger) ? 0 : kind - 1;
    for (size_t i = 0; i < values.size(); ++i) {
      if (i != right) ExpectRefused(doc.name, values[i]);
    }
  }
}

TEST_P(TargetConformanceTest, NonFiniteParameterIsNamed) {
  for (const ParameterDoc& doc : entry().parameters) {
    for (double bad : {kNan, HUGE_VAL, -HUGE_VAL}) {
      switch (doc.kind) {
        case ParameterKind::kNumber:
        case ParameterKind::kInteger:
          ExpectRefused(doc.name, bad);
          break;
        case ParameterKind::kVector:
          ExpectRefused(doc.name, Eigen::VectorXd{{0.5, bad, 1.0}});
          break;
        case ParameterKind::kMatrix:
          ExpectRefused(doc.name, Eigen::MatrixXd{{1.0, 0.0}, {0.0, bad}});
          break;
        case ParameterKind::kMatrixList:
          ExpectRefused(doc.name,
                        std::vector<Eigen::MatrixXd>(2, Eigen::MatrixXd::Constant(2, 2, bad)));
          break;
      }
    }
  }
}

TEST_P(TargetConformanceTest, HugeNumberIsNamed) {
  for (const ParameterDoc& doc : entry().parameters) {
    if (doc.kind == ParameterKind::kInteger) {
      ExpectRefused(doc.name, 1e10);
      ExpectRefused(doc.name, 2.5);
      ExpectRefused(doc.name, 0.0);
    } else if (doc.kind == ParameterKind::kNumber) {
      ExpectRefused(doc.name, 1e300);
      ExpectRefused(doc.name, -1e300);
    }
  }
}

TEST_P(TargetConformanceTest, WrongShapeIsNamed) {
  for (const ParameterDoc& doc : entry().parameters) {
    if (doc.kind == ParameterKind::kVector) {
      TargetParameters parameters = entry().example;
      parameters[doc.name] = Eigen::VectorXd::Constant(17, 1.0 / 17).eval();
      EXPECT_NE(test::Error(GetParam(), parameters), "") << doc.name;
    } else if (doc.kind == ParameterKind::kMatrix) {
      TargetParameters parameters = entry().example;
      parameters[doc.name] = Eigen::MatrixXd::Constant(17, 19, 1.0).eval();
      EXPECT_NE(test::Error(GetParam(), parameters), "") << doc.name;
    } else if (doc.kind == ParameterKind::kMatrixList) {
      ExpectRefused(doc.name, std::vector<Eigen::MatrixXd>(2, Eigen::MatrixXd::Ones(17, 19)));
    }
  }
}

TEST_P(TargetConformanceTest, TooManyDimensionsAreRefusedWithoutWork) {
  for (const ParameterDoc& doc : entry().parameters) {
    if (doc.kind != ParameterKind::kMatrix || doc.name == "covariance") continue;
    TargetParameters parameters = entry().example;
    parameters[doc.name] = Eigen::MatrixXd::Zero(2, 20000).eval();
    EXPECT_NE(test::Error(GetParam(), parameters), "") << doc.name;
  }
}

TEST(TargetRegistryTest, IsSortedAndUnique) {
  const std::vector<std::string> names = Names();
  for (size_t i = 1; i < names.size(); ++i) EXPECT_LT(names[i - 1], names[i]);
  EXPECT_THAT(names,
              ::testing::ElementsAre("banana", "bayesian_neural_network", "conditioned_diffusion",
                                     "eight_bananas", "eight_gaussians", "eight_schools", "funnel",
                                     "gaussian", "gaussian_grid", "gaussian_mixture",
                                     "linear_regression", "logistic_regression", "multimodal",
                                     "poisson_regression", "student_t", "x_shaped"));
}

TEST(TargetRegistryTest, UnknownTargetIsNotFoundAndListsTheNames) {
  const absl::Status status = MakeTarget("bananna", {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("banana"));
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("bananna"));
}

}  // namespace
}  // namespace aisivi
