#include "engine/transforms/registry.h"

#include "absl/strings/str_cat.h"
#include "engine/transforms/correlation.h"
#include "engine/transforms/covariance.h"
#include "engine/transforms/ordered.h"
#include "engine/transforms/scalar.h"
#include "engine/transforms/simplex.h"
#include "engine/transforms/sum_to_zero.h"

namespace aisivi {
namespace {

absl::Status AnyBlock(const std::vector<int64_t>&) { return absl::OkStatus(); }

absl::Status Square(const std::vector<int64_t>& block) {
  if (block[0] == block[1]) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("is ", block[0], " by ", block[1], " in its last two indices, must be square"));
}

absl::Status Tall(const std::vector<int64_t>& block) {
  if (block[0] >= block[1]) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("is ", block[0], " by ", block[1],
                                                 " in its last two indices, must have at least as "
                                                 "many rows as columns"));
}

}  // namespace

const std::vector<TransformEntry>& TransformRegistry() {
  using Kind = ConstraintKind;
  // The table: a new transform is one line here.
  static const auto* const kEntries = new std::vector<TransformEntry>{
      {Kind::kNone, "none", "", 0, AnyBlock, MakeUnconstrained},
      {Kind::kLower, "lower", "", 0, AnyBlock, MakeLower},
      {Kind::kUpper, "upper", "", 0, AnyBlock, MakeUpper},
      {Kind::kInterval, "lower_upper", "", 0, AnyBlock, MakeInterval},
      {Kind::kAffine, "offset_multiplier", "", 0, AnyBlock, MakeAffine},
      {Kind::kOrdered, "ordered", "", 1, AnyBlock, MakeOrdered},
      {Kind::kPositiveOrdered, "positive_ordered", "", 1, AnyBlock, MakePositiveOrdered},
      {Kind::kSimplex, "simplex", "stick-breaking", 1, AnyBlock, MakeSimplex},
      {Kind::kSumToZero, "sum_to_zero", "orthonormal", 1, AnyBlock, MakeSumToZero},
      {Kind::kCholeskyFactorCov, "cholesky_factor_cov", "", 2, Tall, MakeCholeskyFactorCov},
      {Kind::kCovMatrix, "cov_matrix", "", 2, Square, MakeCovMatrix},
      {Kind::kCholeskyFactorCorr, "cholesky_factor_corr", "", 2, Square, MakeCholeskyFactorCorr},
      {Kind::kCorrMatrix, "corr_matrix", "", 2, Square, MakeCorrMatrix},
  };
  return *kEntries;
}

const TransformEntry* FindTransform(ConstraintKind kind) {
  for (const TransformEntry& entry : TransformRegistry()) {
    if (entry.kind == kind) return &entry;
  }
  return nullptr;
}

}  // namespace aisivi
