#include "engine/fit/spec_hash.h"

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/model/bytes.h"
#include "engine/parallel/rng.h"

namespace aisivi {
namespace {

constexpr int64_t kPoints = 4;
constexpr uint64_t kSeed = 0x5EEDC4EC;

void PutText(const std::string& text, ByteWriter* out) {
  out->PutArray(text.data(), static_cast<int64_t>(text.size()));
}

void PutOptions(const FitOptions& options, ByteWriter* out) {
  PutText(options.method, out);
  out->Put<uint64_t>(options.seed);
  for (const OptionDoc& option : OptionTable()) {
    PutText(option.name, out);
    std::visit(
        [&](auto member) {
          using T = std::decay_t<decltype(options.*member)>;
          if constexpr (std::is_same_v<T, std::string>) {
            PutText(options.*member, out);
          } else {
            out->Put<T>(options.*member);
          }
        },
        option.member);
  }
}

// One NaN is like another.
float Rounded(double value) {
  return std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(value);
}

}  // namespace

absl::StatusOr<uint64_t> SpecHash(const Target& target, const FitOptions& options) {
  ByteWriter all;
  PutOptions(options, &all);
  for (const std::string& name : target.CoordinateNames()) PutText(name, &all);
  Eigen::MatrixXf points(target.dim(), kPoints);
  FillNormal({kSeed, RngPurpose::kWarmStart, 0, 0}, points.data(), points.size());
  Eigen::VectorXd log_density;
  const absl::Status evaluated = target.Evaluate(points.cast<double>(), &log_density, nullptr);
  if (!evaluated.ok()) return evaluated;
  if (log_density.size() != kPoints) {
    return absl::InternalError(absl::StrCat("the target returned ", log_density.size(),
                                            " log densities for ", kPoints, " points"));
  }
  for (const double value : log_density) all.Put<float>(Rounded(value));
  return Checksum(all.bytes());
}

}  // namespace aisivi
