#include "engine/fit/fingerprint.h"

#include <bit>
#include <cstdint>
#include <string_view>

#include "absl/strings/str_format.h"
#include "engine/fit/fit.h"
#include "engine/targets/registry.h"

namespace aisivi {
namespace {

// Fowler, Noll and Vo's hash, 64 bits, variant 1a (RFC 9923).
uint64_t Fnv1a(uint64_t hash, std::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

FitOptions SmallFit() {
  FitOptions options;
  options.points = 32;
  options.inner_samples = 16;
  options.iterations = 10;
  options.hidden = 16;
  options.couplings = 2;
  options.warm_start = "none";
  options.evidence_draws = 64;
  options.evidence_inner_samples = 16;
  return options;
}

}  // namespace

std::string ComputeNumericFingerprint(ThreadPool& pool) {
  const auto target = MakeTarget("banana", {});
  const absl::StatusOr<FitResult> fit = RunFit(**target, SmallFit(), pool);
  uint64_t hash = 0xcbf29ce484222325;
  if (fit.ok() && fit->model != nullptr) hash = Fnv1a(hash, fit->model->Serialize());
  if (fit.ok()) hash ^= std::bit_cast<uint64_t>(fit->evidence.log_z);
  return absl::StrFormat("%016x", hash);
}

const std::string& NumericFingerprint() {
  static const auto* const kFingerprint = [] {
    ThreadPool pool(1);
    return new std::string(ComputeNumericFingerprint(pool));
  }();
  return *kFingerprint;
}

}  // namespace aisivi
