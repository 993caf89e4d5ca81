// Programs compiled by the Stan that is installed, evaluated within bubblewrap. The compiled ones
// are kept in the build folder: only the first run of these tests takes long.
#include "server/stan/stan_programs.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "server/status.h"
#include "tests/server/temporary_directory.h"

namespace aisivi::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using TargetPtr = std::unique_ptr<const Target>;

const double kLogTwoPi = std::log(2 * std::acos(-1.0));

double NormalLog(double x, double mean, double sd) {
  return -0.5 * kLogTwoPi - std::log(sd) - 0.5 * std::pow((x - mean) / sd, 2);
}

std::string Program(const std::string& name) {
  std::ifstream file(absl::StrCat(AISIVI_STAN_PROGRAMS, "/", name, ".stan"));
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

v1::StanTarget Spec(const std::string& program, const std::string& data) {
  v1::StanTarget spec;
  spec.set_program(program);
  spec.set_data(data);
  return spec;
}

class StanProgramsTest : public ::testing::Test {
 protected:
  static StanSettings Settings() {
    StanSettings settings;
    settings.directory = AISIVI_STAN_CACHE;
    settings.processes = 2;
    return settings;
  }

  void SetUp() override {
    const std::string reason = StanPrograms(Settings()).unavailable();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }

  absl::StatusOr<TargetPtr> Build(const std::string& program, const std::string& data,
                                  const StanSettings& settings = Settings()) {
    return StanPrograms(settings).Build(Spec(program, data), "fit.target.stan", nullptr);
  }
  absl::StatusOr<TargetPtr> Attack(int what, int stage, const StanSettings& settings = Settings()) {
    return Build(Program("attack"), absl::StrCat("{\"what\": ", what, ", \"stage\": ", stage, "}"),
                 settings);
  }
};

// D×n points, normal with this standard deviation.
Eigen::MatrixXd Points(int dim, int count, double sd = 1) {
  std::mt19937_64 engine(3);
  std::normal_distribution<double> normal(0, sd);
  return Eigen::MatrixXd::NullaryExpr(dim, count, [&] { return normal(engine); });
}

// Compares log densities with a formula and scores with differences of it.
template <typename Density>
void ExpectDensity(const Target& target, const Density& density) {
  const Eigen::MatrixXd z = Points(target.dim(), 20);
  Eigen::VectorXd log_density;
  Eigen::MatrixXd score;
  ASSERT_TRUE(target.Evaluate(z, &log_density, &score).ok());
  // In double, without Stan's tape.
  Eigen::VectorXd alone;
  ASSERT_TRUE(target.Evaluate(z, &alone, nullptr).ok());
  constexpr double kStep = 1e-5;
  for (int i = 0; i < z.cols(); ++i) {
    const double expected = density(z.col(i));
    EXPECT_NEAR(log_density[i], expected, 1e-9 * std::max(1.0, std::abs(expected)));
    EXPECT_NEAR(alone[i], log_density[i], 1e-9 * std::max(1.0, std::abs(expected)));
    for (int d = 0; d < target.dim(); ++d) {
      Eigen::VectorXd up = z.col(i), down = z.col(i);
      up[d] += kStep;
      down[d] -= kStep;
      const double difference = (density(up) - density(down)) / (2 * kStep);
      EXPECT_NEAR(score(d, i), difference, 1e-4 * std::max(1.0, std::abs(difference)));
    }
  }
}

TEST_F(StanProgramsTest, LinearRegression) {
  const absl::StatusOr<TargetPtr> target =
      Build(Program("regression"),
            R"({"N": 3, "P": 2, "x": [[1, 2], [0.5, -1], [3, 0]], "y": [1.5, 2, -0.5]})");
  ASSERT_TRUE(target.ok()) << target.status();
  Eigen::MatrixXd x(3, 2);
  x << 1, 2, 0.5, -1, 3, 0;
  const Eigen::Vector3d y(1.5, 2, -0.5);
  ExpectDensity(**target, [&](const Eigen::VectorXd& z) {
    const double sigma = std::exp(z[3]);
    double sum = NormalLog(z[0], 0, 10) + NormalLog(z[1], 0, 2) + NormalLog(z[2], 0, 2) +
                 std::log(0.5) - 0.5 * sigma + z[3];
    for (int i = 0; i < 3; ++i) {
      sum += NormalLog(y[i], z[0] + x(i, 0) * z[1] + x(i, 1) * z[2], sigma);
    }
    return sum;
  });
  EXPECT_THAT((*target)->CoordinateNames(), ElementsAre("alpha", "beta.1", "beta.2", "sigma"));
  const std::vector<Variable> variables = (*target)->Variables();
  ASSERT_EQ(variables.size(), 4u);
  EXPECT_EQ(variables[1].name, "beta");
  EXPECT_THAT(variables[1].shape, ElementsAre(2));
  EXPECT_FALSE(variables[2].derived);
  EXPECT_EQ(variables[3].name, "y_rep");
  EXPECT_TRUE(variables[3].derived);
}

TEST_F(StanProgramsTest, EightSchools) {
  const absl::StatusOr<TargetPtr> target =
      Build(Program("schools"), R"({"J": 8, "y": [28, 8, -3, 7, -1, 1, 18, 12],
                                    "s": [15, 10, 16, 11, 9, 11, 10, 18]})");
  ASSERT_TRUE(target.ok()) << target.status();
  const double y[] = {28, 8, -3, 7, -1, 1, 18, 12}, s[] = {15, 10, 16, 11, 9, 11, 10, 18};
  ExpectDensity(**target, [&](const Eigen::VectorXd& z) {
    const double tau = std::exp(z[1]), pi = std::acos(-1.0);
    // The program's Cauchy is not cut off at 0, as its statement says.
    double sum = NormalLog(z[0], 0, 5) - std::log(pi * 5 * (1 + tau * tau / 25)) + z[1];
    for (int j = 0; j < 8; ++j) {
      sum += NormalLog(z[2 + j], z[0], tau) + NormalLog(y[j], z[2 + j], s[j]);
    }
    return sum;
  });
}

TEST_F(StanProgramsTest, SimplexWithDirichletPrior) {
  const absl::StatusOr<TargetPtr> target =
      Build(Program("syntax"), R"({"K": 4, "n": [3, 0, 7, 2], "a": [1, 0.5, 2, 3]})");
  ASSERT_TRUE(target.ok()) << target.status();
  const double n[] = {3, 0, 7, 2}, a[] = {1, 0.5, 2, 3};
  const auto density = [&](const Eigen::VectorXd& z) {
    double left = 1, sum = std::lgamma(13) + std::lgamma(6.5);
    for (int k = 0; k < 4; ++k) {
      double p = left;
      if (k < 3) {
        const double share = 1 / (1 + std::exp(-(z[k] - std::log(3 - k))));
        sum += std::log(share) + std::log1p(-share) + std::log(left);
        p = left * share;
      }
      left -= p;
      sum += (a[k] - 1 + n[k]) * std::log(p) - std::lgamma(a[k]) - std::lgamma(n[k] + 1);
    }
    return sum;
  };
  ExpectDensity(**target, density);
  // What draws are shown as: four shares of sum 1, and the odds that are derived from them.
  const Eigen::MatrixXd z = Points(3, 5);
  Eigen::MatrixXd values;
  ASSERT_TRUE((*target)->Constrain(z, 1, 0, &values).ok());
  ASSERT_EQ(values.rows(), 25);
  for (int i = 0; i < 5; ++i) {
    EXPECT_NEAR(values.col(i).head(4).sum(), 1, 1e-12);
    EXPECT_NEAR(values(4, i), values(0, i) / values(1, i), 1e-9 * values(4, i));
    EXPECT_NEAR(values(0, i), 1 / (1 + std::exp(-(z(0, i) - std::log(3)))), 1e-12);
  }
  const double e = std::exp(-1.5);
  // P(5/2, x) by its recurrence from erf.
  const double gamma_p = std::erf(std::sqrt(1.5)) - e * std::sqrt(1.5) / std::tgamma(1.5) -
                         e * std::pow(1.5, 1.5) / std::tgamma(2.5);
  const double phi = 0.5 * std::erfc(-1.5 / std::sqrt(2.0));
  const double expected[] = {
      std::lgamma(2.5), std::log(6.0),
      // psi(1/2) + 2 + 2/3, with Euler's constant.
      -0.57721566490153286 - 2 * std::log(2.0) + 2 + 2.0 / 3, gamma_p, 1 - gamma_p,
      // I_x(2, 3): more than one of four trials succeeds.
      1 - std::pow(0.6, 4) - 4 * 0.4 * std::pow(0.6, 3), 0.5 * phi * (1 - phi), 15,
      std::cyl_bessel_j(1, 2.5), std::cyl_neumann(1, 2.5), std::cyl_bessel_i(1, 2.5),
      std::cyl_bessel_k(1, 2.5), 2.5 * 3.5 * 4.5, 2.5 * 1.5, 2 * 3 * 4.0, 5 * 4.0, 12 * 0.4 * 0.36,
      10 + 2, 5};
  for (int k = 0; k < 19; ++k) {
    EXPECT_NEAR(values(5 + k, 0), expected[k], 1e-12 * std::max(1.0, std::abs(expected[k]))) << k;
  }
  EXPECT_GE(values(24, 0), 1);
  EXPECT_LE(values(24, 0), 3);
}

TEST_F(StanProgramsTest, RandomOutputsDependOnSeedAndNumberAlone) {
  const absl::StatusOr<TargetPtr> target =
      Build(Program("regression"), R"({"N": 1, "P": 1, "x": [[1]], "y": [1]})");
  ASSERT_TRUE(target.ok()) << target.status();
  const Eigen::MatrixXd z = Eigen::MatrixXd::Zero(3, 1000);
  Eigen::MatrixXd all, part, other;
  ASSERT_TRUE((*target)->Constrain(z, 7, 0, &all).ok());
  ASSERT_TRUE((*target)->Constrain(z.leftCols(100), 7, 500, &part).ok());
  ASSERT_TRUE((*target)->Constrain(z, 8, 0, &other).ok());
  EXPECT_EQ(all.middleCols(500, 100), part);
  EXPECT_NE(all.row(3), other.row(3));
  // N(0, 1), where alpha + beta x = 0 and sigma = 1.
  const Eigen::ArrayXd noise = all.row(3).transpose();
  EXPECT_NEAR(noise.mean(), 0, 5 / std::sqrt(1000.0));
  EXPECT_NEAR((noise - noise.mean()).square().mean(), 1, 5 * std::sqrt(2.0 / 1000));
}

TEST_F(StanProgramsTest, ThreadsGetTheSameBits) {
  const absl::StatusOr<TargetPtr> target =
      Build(Program("regression"), R"({"N": 1, "P": 1, "x": [[1]], "y": [1]})");
  ASSERT_TRUE(target.ok()) << target.status();
  const Eigen::MatrixXd z = Points(3, 3000);
  Eigen::VectorXd expected;
  ASSERT_TRUE((*target)->Evaluate(z, &expected, nullptr).ok());
  // More threads than processes.
  std::vector<Eigen::VectorXd> log_density(6);
  std::vector<std::thread> threads;
  for (Eigen::VectorXd& result : log_density) {
    threads.emplace_back([&] {
      Eigen::MatrixXd score;
      EXPECT_TRUE((*target)->Evaluate(z, &result, &score).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Eigen::VectorXd& result : log_density) EXPECT_EQ(result, expected);
  Eigen::VectorXd none;
  EXPECT_TRUE((*target)->Evaluate(z.leftCols(0), &none, nullptr).ok());
  EXPECT_EQ(none.size(), 0);
}

TEST_F(StanProgramsTest, WhereItRejectsTheDensityIsZero) {
  const absl::StatusOr<TargetPtr> target = Attack(8, 3);
  ASSERT_TRUE(target.ok()) << target.status();
  Eigen::MatrixXd z(1, 3), score;
  z << 0.5, 1.5, NAN;
  Eigen::VectorXd log_density;
  ASSERT_TRUE((*target)->Evaluate(z, &log_density, &score).ok());
  EXPECT_NEAR(log_density[0], NormalLog(0.5, 0, 1), 1e-12);
  EXPECT_NEAR(score(0, 0), -0.5, 1e-12);
  EXPECT_EQ(log_density[1], -INFINITY);
  EXPECT_EQ(log_density[2], -INFINITY);
}

TEST_F(StanProgramsTest, CompileErrorsAreStansOwn) {
  const absl::Status error =
      Build("data {\n  int N;\n}\nparameters {\n  real x\n}\nmodel {\n}\n", "{\"N\": 1}").status();
  EXPECT_TRUE(absl::IsInvalidArgument(error));
  EXPECT_THAT(std::string(error.message()),
              AllOf(StartsWith("fit.target.stan.program: "), HasSubstr("at line 6, column "),
                    HasSubstr("     5:   real x\n"), HasSubstr("^\n")));
  // Lines are those of the user's text, whatever was rewritten before them.
  EXPECT_THAT(
      std::string(Build("data {\n  array[2,\n    3] real y;\n}\nmodel {\n  y ~ wrong(1);\n}", "")
                      .status()
                      .message()),
      HasSubstr("line 6"));
}

TEST_F(StanProgramsTest, ProgramsThatCannotBeFitted) {
  EXPECT_THAT(std::string(Build("#include x.stan", "").status().message()),
              HasSubstr("fit.target.stan.program: line 1: #include"));
  EXPECT_THAT(std::string(Build("", "").status().message()),
              HasSubstr("fit.target.stan.program: is required"));
  // The same as one that would take the translator for ever.
  EXPECT_THAT(
      std::string(Build("model { real x = " + std::string(200, '('), "").status().message()),
      HasSubstr("brackets are open"));
  const absl::Status never = Attack(5, 0).status();
  EXPECT_TRUE(absl::IsInvalidArgument(never));
  EXPECT_THAT(std::string(never.message()),
              AllOf(StartsWith("fit.target.stan.program: the density is zero at 100 points"),
                    HasSubstr("I do not want x = 1")));
  EXPECT_THAT(std::string(Attack(6, 0).status().message()), HasSubstr("not a number"));
}

TEST_F(StanProgramsTest, WhatIsNewerThanTheInstalledStanIsNamed) {
  const std::pair<const char*, const char*> kCases[] = {
      {"parameters { vector[2] x; } model { target += sum(x .^ 2); }", "installed here: .^ ("},
      {"parameters { real x; } model { x ~ normal(sum(ones_vector(2)), 1); }",
       "installed here: ones_vector ("},
      {"parameters { real x; } model { x ~ normal(0, 1); int k = 1; }",
       "installed here: a declaration after a statement of its block ("}};
  for (const auto& [program, text] : kCases) {
    const absl::Status error = Build(program, "").status();
    EXPECT_TRUE(absl::IsInvalidArgument(error)) << error;
    EXPECT_THAT(std::string(error.message()), HasSubstr(text)) << program;
  }
}

TEST_F(StanProgramsTest, WrongDataAreNamed) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"J": 1, "y": [1]})", "variable name=s"},
      {R"({"J": 1.5, "y": [1], "s": [1]})", "int variable contained non-int values"},
      {R"({"J": 2, "y": [1], "s": [1]})", "variable name=y"},
      {R"({"J": 1, "y": [[1]], "s": [1]})", "variable name=y"},
      {R"({"J": 1, "y": [1], "s": [-1]})",
       "is -1, but must be greater than or equal to 0 (at line 5)"},
      {R"({"J": 0, "y": [], "s": []})", "J is 0, but must be greater than or equal to 1"},
      {R"({"J": 1, "y": ["one"], "s": [1]})", "variable \"y\""},
      {R"({"J": 1, "y": [1})", "is no JSON"},
      {"", "variable name=J"},
  };
  for (const auto& [data, text] : kCases) {
    const absl::Status error = Build(Program("schools"), data).status();
    EXPECT_TRUE(absl::IsInvalidArgument(error)) << data << ": " << error;
    EXPECT_THAT(std::string(error.message()),
                AllOf(StartsWith("fit.target.stan.data: "), HasSubstr(text)));
  }
}

// A program that ends badly says so, and what comes after it works.
TEST_F(StanProgramsTest, AttacksEndThemselvesAlone) {
  struct Case {
    int what, stage;
    absl::StatusCode code;
    const char* text;
  };
  const Case kCases[] = {
      {2, 0, absl::StatusCode::kInternal, "crashed (Segmentation fault)"},
      {2, 1, absl::StatusCode::kInternal, "crashed (Segmentation fault)"},
      {3, 0, absl::StatusCode::kResourceExhausted, "MiB of memory (--stan_memory_mb)"},
      {3, 1, absl::StatusCode::kResourceExhausted, "MiB of memory (--stan_memory_mb)"},
      // Every turn of its loop is kept for the gradient.
      {1, 0, absl::StatusCode::kResourceExhausted, "MiB of memory (--stan_memory_mb)"},
  };
  StanSettings settings = Settings();
  // Which a slow machine fills, too, before the time of a point is over.
  settings.memory_bytes = int64_t{512} << 20;
  for (const Case& attack : kCases) {
    const absl::Status error = Attack(attack.what, attack.stage, settings).status();
    EXPECT_EQ(error.code(), attack.code) << attack.what << ": " << error;
    EXPECT_THAT(std::string(error.message()), HasSubstr(attack.text)) << attack.what;
  }
  EXPECT_TRUE(Attack(0, 0).ok());
}

TEST_F(StanProgramsTest, WhatDoesNotEndIsEnded) {
  const absl::StatusOr<TargetPtr> target = Attack(1, 2);
  ASSERT_TRUE(target.ok()) << target.status();
  Eigen::MatrixXd values;
  const absl::Status error = (*target)->Constrain(Points(1, 1), 1, 0, &values);
  EXPECT_TRUE(absl::IsResourceExhausted(error));
  EXPECT_THAT(std::string(error.message()), HasSubstr("more than 10 s for one point"));
}

TEST_F(StanProgramsTest, AFloodOfOutputGoesNowhere) {
  const absl::StatusOr<TargetPtr> target = Attack(4, 2);
  ASSERT_TRUE(target.ok()) << target.status();
  Eigen::MatrixXd values;
  ASSERT_TRUE((*target)->Constrain(Points(1, 1), 1, 0, &values).ok());
  EXPECT_EQ(values(1, 0), 0);
}

TEST_F(StanProgramsTest, AProcessThatDiedIsNotStartedForEver) {
  const absl::StatusOr<TargetPtr> target = Attack(2, 2);
  ASSERT_TRUE(target.ok()) << target.status();
  const Eigen::MatrixXd z = Points(1, 4);
  Eigen::MatrixXd values;
  Eigen::VectorXd log_density;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(absl::IsInternal((*target)->Constrain(z, 1, 0, &values)));
    // Another process takes over.
    EXPECT_TRUE((*target)->Evaluate(z, &log_density, nullptr).ok());
  }
  EXPECT_TRUE(absl::IsInternal((*target)->Constrain(z, 1, 0, &values)));
  EXPECT_THAT(std::string((*target)->Evaluate(z, &log_density, nullptr).message()),
              HasSubstr("crashed"));
}

TEST_F(StanProgramsTest, RejectedOutputsAreNoNumbers) {
  const absl::StatusOr<TargetPtr> target = Attack(5, 2);
  ASSERT_TRUE(target.ok()) << target.status();
  Eigen::MatrixXd values;
  ASSERT_TRUE((*target)->Constrain(Points(1, 2), 1, 0, &values).ok());
  EXPECT_TRUE(values.array().isNaN().all());
}

TEST_F(StanProgramsTest, WithoutASandboxTheSameNumbersAndLimits) {
  StanSettings settings = Settings();
  settings.sandbox = SandboxKind::kNone;
  const absl::StatusOr<TargetPtr> inside = Attack(0, 0), outside = Attack(0, 0, settings);
  ASSERT_TRUE(inside.ok() && outside.ok()) << inside.status() << outside.status();
  const Eigen::MatrixXd z = Points(1, 10);
  Eigen::VectorXd a, b;
  ASSERT_TRUE((*inside)->Evaluate(z, &a, nullptr).ok());
  ASSERT_TRUE((*outside)->Evaluate(z, &b, nullptr).ok());
  EXPECT_EQ(a, b);
  EXPECT_TRUE(absl::IsResourceExhausted(Attack(3, 0, settings).status()));
}

TEST_F(StanProgramsTest, TheDirectoryMayBeRelative) {
  StanSettings settings = Settings();
  settings.directory = std::filesystem::relative(settings.directory).string();
  ASSERT_NE(settings.directory, Settings().directory);
  const absl::StatusOr<TargetPtr> target = Attack(0, 0, settings);
  EXPECT_TRUE(target.ok()) << target.status();
}

TEST_F(StanProgramsTest, WhoLeavesEndsTheCompiler) {
  const TemporaryDirectory directory;
  StanSettings settings = Settings();
  settings.directory = directory.path();
  const std::atomic<bool> cancel = true;
  EXPECT_TRUE(
      absl::IsCancelled(StanPrograms(settings)
                            .Build(Spec("parameters { real x; } model {}", ""), "f", &cancel)
                            .status()));
}

TEST(StanUnavailableTest, WithoutAToolchainTheReasonIsGiven) {
  StanSettings settings;
  settings.stan_home = "/no/such/cmdstan";
  StanPrograms programs(settings);
  EXPECT_THAT(programs.unavailable(), AllOf(HasSubstr("/no/such/cmdstan/bin/stanc"),
                                            HasSubstr("--stan_home must name a CmdStan")));
  const absl::Status error =
      programs.Build(Spec("parameters { real x; } model {}", ""), "target.stan", nullptr).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(error));
  google::rpc::Status rpc = ToRpcStatus(error);
  google::rpc::ErrorInfo info;
  bool found = false;
  for (const auto& detail : rpc.details()) found = found || detail.UnpackTo(&info);
  EXPECT_TRUE(found);
  EXPECT_EQ(info.reason(), "STAN_UNAVAILABLE");
}

}  // namespace
}  // namespace aisivi::server
