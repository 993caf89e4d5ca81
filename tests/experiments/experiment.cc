#include "tests/experiments/experiment.h"

#include <cmath>
#include <random>

#include "absl/strings/str_cat.h"
#include "tests/csv.h"
#include "tests/experiments/measures.h"

namespace aisivi::experiments {
namespace {

constexpr double kLogTwoPi = 1.83787706640934548;
constexpr int64_t kExactDraws = 20000;

// The numbers of a CSV file with a header, one column per row of the file.
absl::StatusOr<Eigen::MatrixXd> ReadCsv(const std::string& path) {
  absl::StatusOr<test::Table> table = test::ReadCsv(path);
  if (!table.ok()) return table.status();
  return Eigen::MatrixXd(table->rows.transpose());
}

// log N(x; 0, [[v, c], [c, v]]), x: 2×N.
Eigen::VectorXd LogNormal2(const Eigen::MatrixXd& x, double v, double c) {
  const double det = v * v - c * c;
  return (-0.5 / det *
          (v * (x.row(0).array().square() + x.row(1).array().square()) -
           2 * c * x.row(0).array() * x.row(1).array()))
             .transpose()
             .matrix() -
         Eigen::VectorXd::Constant(x.cols(), kLogTwoPi + 0.5 * std::log(det));
}

Eigen::MatrixXd StandardNormals(int64_t rows) {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  return Eigen::MatrixXd::NullaryExpr(rows, kExactDraws, [&] { return normal(engine); });
}

// Exact draws of ½N(0, [[v,c],[c,v]]) + ½N(0, [[v,−c],[−c,v]]), shifted by ∓shift in z₁.
Eigen::MatrixXd DrawPair(double v, double c, double shift) {
  const Eigen::MatrixXd u = StandardNormals(2);
  Eigen::MatrixXd z(2, u.cols());
  for (int64_t j = 0; j < u.cols(); ++j) {
    const double sign = j % 2 == 0 ? 1 : -1;
    z(0, j) = std::sqrt(v) * u(0, j) + sign * shift;
    z(1, j) = sign * c / std::sqrt(v) * u(0, j) + std::sqrt(v - c * c / v) * u(1, j);
  }
  return z;
}

Eigen::VectorXd LogPair(const Eigen::MatrixXd& z, double v, double c, double shift) {
  Eigen::MatrixXd plus = z, minus = z;
  plus.row(0).array() -= shift;
  minus.row(0).array() += shift;
  const Eigen::ArrayXd a = LogNormal2(plus, v, c), b = LogNormal2(minus, v, -c);
  const Eigen::ArrayXd top = a.max(b);
  return (top + ((a - top).exp() + (b - top).exp()).log() - std::log(2.0)).matrix();
}

Experiment Pair(const std::string& name, double v, double c, double shift) {
  Experiment e{.name = name, .log_z = 0, .log_z_se = 0, .required = 0.006, .aim = 0.002};
  e.measure_name = "forward KL";
  e.measure = [=](const Client& client, const v1::Fit& fit) {
    const Eigen::MatrixXd z = DrawPair(v, c, shift);
    return MeanForwardKl(client, fit, z, LogPair(z, v, c, shift));
  };
  return e;
}

Experiment Banana() {
  Experiment e{.name = "banana", .log_z = 0, .log_z_se = 0, .required = 0.02, .aim = 0.005};
  e.target.mutable_banana();
  e.measure_name = "forward KL (≤ 0.05)";
  e.measure = [](const Client& client, const v1::Fit& fit) {
    const Eigen::MatrixXd u = StandardNormals(2);
    Eigen::MatrixXd x(2, u.cols());
    x.row(0) = u.row(0);
    x.row(1) = 0.9 * u.row(0) + std::sqrt(1 - 0.81) * u.row(1);
    Eigen::MatrixXd z = x;
    z.row(1).array() -= x.row(0).array().square() + 1;
    return MeanForwardKl(client, fit, z, LogNormal2(x, 1, 0.9));
  };
  return e;
}

// Logistic regression on a file with the response in its first column.
absl::StatusOr<Experiment> Logistic(const std::string& name, const std::string& path,
                                    double precision, double log_z, double log_z_se) {
  const absl::StatusOr<Eigen::MatrixXd> rows = ReadCsv(path);
  if (!rows.ok()) return rows.status();
  Experiment e{.name = name, .log_z = log_z, .log_z_se = log_z_se, .required = 0.08, .aim = 0.02};
  auto* target = e.target.mutable_logistic_regression();
  target->set_prior_precision(precision);
  *target->mutable_x() = PointsToProto(rows->bottomRows(rows->rows() - 1));
  for (const double y : rows->row(0)) target->add_y(y);
  return e;
}

absl::Status MeasureMeans(const std::string& path, Experiment* e) {
  const absl::StatusOr<Eigen::MatrixXd> truth = ReadCsv(path);
  if (!truth.ok()) return truth.status();
  e->measure_name = "worst mean, posterior sd (≤ 0.2)";
  const Eigen::VectorXd mean = truth->row(1), sd = truth->row(2);
  e->measure = [=](const Client& client, const v1::Fit& fit) {
    return WorstMean(client, fit, mean, sd);
  };
  return absl::OkStatus();
}

// log Z by a forward filter over 2,001 states; a particle filter gives -0.690 ± 0.005.
absl::StatusOr<Experiment> Diffusion(const std::string& data) {
  const absl::StatusOr<Eigen::MatrixXd> draws =
      ReadCsv(absl::StrCat(data, "/conditioned_diffusion_draws.csv"));
  if (!draws.ok()) return draws.status();
  Experiment e{.name = "conditioned diffusion",
               .log_z = -0.695997,
               .log_z_se = 0,
               .required = 0.02,
               .aim = 0.005};
  e.target.mutable_conditioned_diffusion();
  e.measure_name = "marginal log ML (≥ 75,000)";
  e.measure = [reference = *draws](const Client& client, const v1::Fit& fit) {
    return MarginalLogDensity(client, fit, reference);
  };
  return e;
}

// Targets with modes (D×K) of known weights (K).
Experiment Modes(const std::string& name, const Eigen::MatrixXd& modes,
                 const Eigen::VectorXd& weights) {
  Experiment e{.name = name, .log_z = 0, .log_z_se = 0, .required = 0.1, .aim = 0.02};
  e.measure_name = "worst mode weight (≤ 20 %)";
  e.measure = [=](const Client& client, const v1::Fit& fit) {
    return WorstModeWeight(client, fit, modes, weights);
  };
  return e;
}

Experiment Grid() {
  Eigen::MatrixXd modes(2, 25);
  for (int i = 0; i < 25; ++i) {
    const int column = i % 5 - 2, row = i / 5 - 2;
    modes.col(i) << 2.5 * column, 2.5 * row;
  }
  Experiment e = Modes("gaussian_grid", modes, Eigen::VectorXd::Constant(25, 1.0 / 25));
  e.target.mutable_gaussian_grid();
  return e;
}

// Eight directions, counterclockwise from (1, 0): 2×8.
Eigen::MatrixXd Circle() {
  Eigen::MatrixXd points(2, 8);
  for (int i = 0; i < 8; ++i) {
    const double angle = 3.14159265358979324 / 4 * i;
    points.col(i) << std::cos(angle), std::sin(angle);
  }
  return points;
}

Experiment EightGaussians() {
  Experiment e = Modes("eight_gaussians", 4 * Circle(), Eigen::VectorXd::Constant(8, 1.0 / 8));
  e.target.mutable_eight_gaussians();
  return e;
}

// Each banana opens outwards and stays in the sector of its direction.
Experiment EightBananas() {
  Experiment e = Modes("eight_bananas", Circle(), Eigen::VectorXd::LinSpaced(8, 1, 8) / 36);
  e.target.mutable_eight_bananas();
  return e;
}

Experiment OtherDiffusion(int steps, const std::vector<double>& observations, double log_z) {
  Experiment e{.name = absl::StrCat("diffusion of ", steps, " steps"),
               .log_z = log_z,
               .log_z_se = 0,
               .required = 0.02,
               .aim = 0.005};
  auto* target = e.target.mutable_conditioned_diffusion();
  target->set_steps(steps);
  for (const double y : observations) target->add_observations(y);
  return e;
}

// Instances beside the published ones. Their log Z by importance sampling from a Student-t with the
// posterior's moments (logistic regression), and by a forward filter over a dense grid of states
// (diffusion), which a particle filter confirms; both apart from this project's code.
absl::Status AddOtherInstances(std::vector<Experiment>* all) {
  const std::string folder = AISIVI_EXAMPLE_DATA;
  for (const auto& [name, file, precision, log_z, log_z_se] :
       {std::tuple{"Challenger α=0.01", "/challenger.csv", 0.01, -15.5793, 0.0004},
        std::tuple{"example waveform α=0.01", "/waveform.csv", 0.01, -93.614, 0.0025}}) {
    absl::StatusOr<Experiment> e =
        Logistic(name, absl::StrCat(folder, file), precision, log_z, log_z_se);
    if (!e.ok()) return e.status();
    all->push_back(*std::move(e));
  }
  all->push_back(OtherDiffusion(50, {0.3, 0.6, 1.0, 0.9, 1.2, 0.9, 1.1, 0.8, 1.0, 1.1}, 1.881707));
  all->push_back(OtherDiffusion(200, {-0.2, -0.5, -0.9, -1.1, -1.0, -0.7, -0.2, 0.3, 0.7, 0.9,
                                      1.0,  1.1,  0.9,  1.0,  1.2,  0.8,  0.6,  0.9, 1.1, 1.0},
                                -2.571084));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Experiment>> AllExperiments(const std::string& data) {
  std::vector<Experiment> all;
  all.push_back(Pair("multimodal", 1, 0, 2));
  all.back().target.mutable_multimodal();
  all.push_back(Pair("x_shaped", 2, 1.8, 0));
  all.back().target.mutable_x_shaped();
  all.push_back(Banana());
  const std::string train = absl::StrCat(data, "/waveform_train.csv");
  absl::StatusOr<Experiment> weak = Logistic("waveform α=0.01", train, 0.01, -150.383, 0.003);
  if (!weak.ok()) return weak.status();
  if (absl::Status status = MeasureMeans(absl::StrCat(data, "/waveform_posterior.csv"), &*weak);
      !status.ok()) {
    return status;
  }
  all.push_back(*std::move(weak));
  absl::StatusOr<Experiment> strong = Logistic("waveform α=1", train, 1, -115.831, 0.003);
  if (!strong.ok()) return strong.status();
  all.push_back(*std::move(strong));
  absl::StatusOr<Experiment> diffusion = Diffusion(data);
  if (!diffusion.ok()) return diffusion.status();
  all.push_back(*std::move(diffusion));
  all.push_back({.name = "funnel", .log_z = 0, .log_z_se = 0, .required = 0.1, .aim = 0.03});
  all.back().target.mutable_funnel();
  all.push_back({.name = "student_t", .log_z = 0, .log_z_se = 0, .required = 0.1, .aim = 0.03});
  all.back().target.mutable_student_t();
  all.push_back(EightGaussians());
  all.push_back(Grid());
  all.push_back(EightBananas());
  if (absl::Status status = AddOtherInstances(&all); !status.ok()) return status;
  return all;
}

}  // namespace aisivi::experiments
