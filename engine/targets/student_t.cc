#include "engine/targets/student_t.h"

#include <Eigen/LU>
#include <cmath>
#include <mutex>

#include "absl/strings/str_format.h"

namespace aisivi {
namespace {

class StudentT final : public BuiltinTarget {
 public:
  // scale: D×D with log|det scale| = log_det, or empty for the identity. It is inverted when the
  // first point is evaluated, by whichever thread comes first: a check of a request does not pay.
  StudentT(int dim, double nu, Eigen::MatrixXd scale, double log_det)
      : BuiltinTarget(dim), nu_(nu), scale_(std::move(scale)) {
    const double one =
        LogGamma(0.5 * (nu + 1)) - LogGamma(0.5 * nu) - 0.5 * std::log(nu * std::acos(-1.0));
    log_constant_ = dim * one - log_det;
  }

 private:
  void EvaluateBatch(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                     Eigen::MatrixXd* score) const override {
    if (scale_.size() > 0) std::call_once(inverted_, [this] { inverse_ = scale_.inverse(); });
    Eigen::MatrixXd t(z.rows(), z.cols());
    if (inverse_.size() > 0) {
      t.noalias() = inverse_ * z;
    } else {
      t = z;
    }
    const Eigen::ArrayXd logs = (t.array().square() / nu_).log1p().colwise().sum().transpose();
    *log_density = log_constant_ - 0.5 * (nu_ + 1) * logs;
    if (score == nullptr) return;
    t = -(nu_ + 1) * t.array() / (nu_ + t.array().square());
    if (inverse_.size() > 0) {
      score->noalias() = inverse_.transpose() * t;
    } else {
      *score = t;
    }
  }

  double nu_;
  double log_constant_;
  const Eigen::MatrixXd scale_;  // D×D, A; empty for the identity
  mutable std::once_flag inverted_;
  mutable Eigen::MatrixXd inverse_;  // A⁻¹ once inverted
};

// Checks that |det scale| is 1 up to the rounding of typed figures.
// Returns log|det scale|.
double CheckScale(ParameterReader& reader, const Eigen::MatrixXd& scale) {
  if (scale.rows() != scale.cols()) {
    reader.Fail("scale", absl::StrFormat("must be square, not %d×%d", scale.rows(), scale.cols()));
    return 0;
  }
  reader.CheckDimension("scale", static_cast<double>(scale.rows()));
  if (reader.Failed("scale")) return 0;
  const Eigen::PartialPivLU<Eigen::MatrixXd> lu(scale);
  const double log_det = lu.matrixLU().diagonal().array().abs().log().sum();
  if (!(std::abs(log_det) <= 1e-6)) {
    reader.Fail("scale",
                absl::StrFormat("has determinant ±%g; it must be 1 or -1", std::exp(log_det)));
  }
  return log_det;
}

std::unique_ptr<const Target> BuildStudentT(ParameterReader& reader) {
  const double nu = reader.Number("degrees_of_freedom", 0.1, 1e6);
  const Eigen::MatrixXd& scale = reader.Matrix("scale");
  int dim = reader.Integer("dimension", 1, kMaxDimension);
  double log_det = 0;
  if (reader.Has("scale")) {
    log_det = CheckScale(reader, scale);
    if (reader.Has("dimension") && !reader.Failed("dimension") && scale.rows() != dim) {
      reader.Fail("scale", absl::StrFormat("must be %d×%d like dimension", dim, dim));
    }
    dim = static_cast<int>(scale.rows());
  }
  if (!reader.ok()) return nullptr;
  return std::make_unique<StudentT>(dim, nu, scale, log_det);
}

}  // namespace

BuiltinSpec StudentTSpec() {
  BuiltinSpec spec;
  spec.name = "student_t";
  spec.doc =
      "z = scale t with independent Student-t coordinates t_i. Normalised. With 2 degrees of "
      "freedom or fewer the variance is infinite.";
  spec.dimension_rule = "rows of scale, or dimension";
  spec.parameters = {
      {"dimension", ParameterKind::kInteger,
       "Coordinates, 1 to 10000; with scale, its rows (and equal to them when given).", "10"},
      {"degrees_of_freedom", ParameterKind::kNumber, "0.1 to 1e6.", "2"},
      {"scale", ParameterKind::kMatrix, "DxD with determinant 1 or -1.", "identity"},
  };
  spec.build = BuildStudentT;
  spec.known_log_z = [](ParameterReader&) { return 0.0; };
  spec.example = {{"degrees_of_freedom", 3.0},
                  {"scale", Eigen::MatrixXd{{2.0, 1.0, 0.0}, {0.0, 0.5, 0.3}, {0.0, 0.0, 1.0}}}};
  return spec;
}

}  // namespace aisivi
