#include "engine/targets/conditioned_diffusion.h"

#include <cmath>

#include "absl/strings/str_format.h"
#include "engine/targets/diffusion_evidence.h"

namespace aisivi {
namespace {

// The observations of the experiment in arXiv 2405.18997 and 2506.03839, every 5th step.
constexpr double kDefaultObservations[] = {
    -0.492256761, -0.9104231,   -1.07145607, -0.935494125, -0.989426732, -0.745447457, -1.1115911,
    -1.23858333,  -1.28959036,  -1.50376725, -0.920019269, -1.12719429,  -1.403862,    -1.10765707,
    -0.701482058, -0.649001837, -1.00546443, -0.846095145, -0.61808151,  -0.767638683,
};

class ConditionedDiffusion final : public BuiltinTarget {
 public:
  explicit ConditionedDiffusion(DiffusionInstance instance)
      : BuiltinTarget({RealParameter("u", {instance.steps})}),
        instance_(std::move(instance)),
        dt_(instance_.dt()) {
    const double observations = static_cast<double>(instance_.observations.size());
    log_constant_ = -0.5 * dim() * (kLog2Pi + std::log(dt_)) -
                    observations * (0.5 * kLog2Pi + std::log(instance_.noise));
  }

 private:
  // u_{i−1}, w and r of one path; each has an entry per step.
  struct Scratch {
    Eigen::ArrayXd previous, w, residual;
  };

  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    const Eigen::Index steps = dim();
    const double drift_scale = dt_ * instance_.beta;
    Scratch s{Eigen::ArrayXd(steps), Eigen::ArrayXd(steps), Eigen::ArrayXd(steps)};
    for (Eigen::Index n = 0; n < z.cols(); ++n) {
      s.previous(0) = 0;
      s.previous.tail(steps - 1) = z.col(n).head(steps - 1).array();
      s.w = (1 + s.previous.square()).inverse();
      s.residual = z.col(n).array() - s.previous * (1 + drift_scale * (2 * s.w - 1));
      (*log_density)(n) = log_constant_ - 0.5 * s.residual.square().sum() / dt_;
      if (score != nullptr) {
        score->col(n) = s.residual / -dt_;
        const Eigen::Ref<const Eigen::ArrayXd> w = s.w.tail(steps - 1);
        score->col(n).head(steps - 1).array() +=
            s.residual.tail(steps - 1) / dt_ * (1 + drift_scale * (4 * w.square() - 2 * w - 1));
      }
      AddObservations(z, n, log_density, score);
    }
  }

  void AddObservations(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::Index n,
                       Eigen::VectorXd* log_density, Eigen::MatrixXd* score) const {
    const double precision = 1 / (instance_.noise * instance_.noise);
    double squares = 0;
    for (size_t j = 0; j < instance_.observed_steps.size(); ++j) {
      const Eigen::Index step = instance_.observed_steps[j];
      const double difference = instance_.observations(static_cast<Eigen::Index>(j)) - z(step, n);
      squares += difference * difference;
      if (score != nullptr) (*score)(step, n) += precision * difference;
    }
    (*log_density)(n) -= 0.5 * precision * squares;
  }

  DiffusionInstance instance_;
  double dt_;
  double log_constant_;
};

std::vector<Eigen::Index> EquallySpaced(ParameterReader& reader, int steps, Eigen::Index count) {
  std::vector<Eigen::Index> result;
  if (steps % count != 0) {
    reader.Fail("observations",
                absl::StrFormat("%d of them cannot be spaced equally over %d steps; give "
                                "observation_steps",
                                count, steps));
    return result;
  }
  const Eigen::Index gap = steps / count;
  for (Eigen::Index j = 1; j <= count; ++j) result.push_back(j * gap - 1);
  return result;
}

std::vector<Eigen::Index> ReadSteps(ParameterReader& reader, int steps, Eigen::Index count) {
  if (!reader.Has("observation_steps")) return EquallySpaced(reader, steps, count);
  const Eigen::VectorXd& given = reader.Vector("observation_steps");
  std::vector<Eigen::Index> result;
  if (given.size() != count) {
    reader.Fail("observation_steps",
                absl::StrFormat("has %d entries, there are %d observations", given.size(), count));
    return result;
  }
  double last = 0;
  for (Eigen::Index j = 0; j < count; ++j) {
    const double step = given(j);
    if (!(step >= 1 && step <= steps) || step != std::floor(step)) {
      reader.Fail(
          "observation_steps",
          absl::StrFormat("entry %d is %g, not an integer from 1 to %d", j + 1, step, steps));
      return {};
    }
    if (step <= last) {
      reader.Fail("observation_steps", absl::StrFormat("entry %d does not increase", j + 1));
      return {};
    }
    last = step;
    result.push_back(static_cast<Eigen::Index>(step) - 1);
  }
  return result;
}

DiffusionInstance ReadInstance(ParameterReader& reader) {
  DiffusionInstance instance;
  instance.steps = reader.Integer("steps", 1, kMaxDimension);
  instance.time = reader.Number("time", 1e-9, 1e9);
  instance.beta = reader.Number("beta", -1e6, 1e6);
  instance.noise = reader.Number("noise", 1e-9, 1e9);
  if (reader.Has("observations")) {
    instance.observations = reader.Vector("observations");
  } else {
    instance.observations = Eigen::Map<const Eigen::VectorXd>(
        kDefaultObservations, static_cast<Eigen::Index>(std::size(kDefaultObservations)));
  }
  if (!reader.Failed("steps")) {
    instance.observed_steps = ReadSteps(reader, instance.steps, instance.observations.size());
  }
  return instance;
}

std::unique_ptr<const Target> BuildDiffusion(ParameterReader& reader) {
  DiffusionInstance instance = ReadInstance(reader);
  if (!reader.ok()) return nullptr;
  return std::make_unique<ConditionedDiffusion>(std::move(instance));
}

std::optional<double> DiffusionLogZ(ParameterReader& reader) {
  const DiffusionInstance instance = ReadInstance(reader);
  return reader.ok() ? DiffusionLogEvidence(instance) : std::nullopt;
}

}  // namespace

BuiltinSpec ConditionedDiffusionSpec() {
  BuiltinSpec spec;
  spec.name = "conditioned_diffusion";
  spec.doc =
      "A diffusion du = beta (u - u^3) / (1 + u^2) dt + dW from u = 0, discretised by "
      "Euler-Maruyama "
      "with dt = time / steps and seen at some steps with Gaussian noise; z holds the path u_1 .. "
      "u_steps. Transition and observation constants included, so log Z is the log evidence. The "
      "defaults are the instance of arXiv 2405.18997 and 2506.03839.";
  spec.dimension_rule = "steps";
  spec.parameters = {
      {"steps", ParameterKind::kInteger, "Time steps, 1 to 10000.", "100"},
      {"time", ParameterKind::kNumber, "Time of the last step; 1e-9 to 1e9.", "1"},
      {"beta", ParameterKind::kNumber, "Strength of the drift; -1e6 to 1e6.", "10"},
      {"noise", ParameterKind::kNumber, "Standard deviation of an observation; 1e-9 to 1e9.",
       "0.1"},
      {"observations", ParameterKind::kVector, "J observed values.",
       "the 20 of the published instance"},
      {"observation_steps", ParameterKind::kVector,
       "J increasing integers from 1 to steps: when each observation was made.",
       "equally spaced, the last at the last step; J must then divide steps"},
  };
  spec.build = BuildDiffusion;
  spec.known_log_z = DiffusionLogZ;
  spec.example = {
      {"steps", 10.0},
      {"time", 0.5},
      {"observations", Eigen::VectorXd{{0.4, 0.9, 1.1, 0.8, 1.0}}},
  };
  return spec;
}

}  // namespace aisivi
