#include "engine/fit/checkpointer.h"

#include <algorithm>
#include <utility>

#include "engine/fit/checkpoint.h"
#include "engine/fit/fingerprint.h"
#include "engine/fit/fit.h"
#include "engine/fit/spec_hash.h"

namespace aisivi {
namespace {

constexpr std::chrono::seconds kLeastInterval{30};
constexpr int64_t kIntervalInWrites = 100;  // the cost is at most 1 % of the fit

}  // namespace

Checkpointer::Checkpointer(const Target& target, const FitOptions& options,
                           const FitControl& control, const Reporter& record,
                           const RestartsState& restarts)
    : target_(target),
      options_(options),
      control_(control),
      record_(record),
      restarts_(restarts),
      next_(Clock::now() + kLeastInterval) {}

bool Checkpointer::Due() {
  if (!control_.on_checkpoint) return false;
  began_ = Clock::now();
  if (control_.checkpoint_now != nullptr && control_.checkpoint_now->load()) return true;
  if (control_.checkpoint_every > 0) return ++asked_ % control_.checkpoint_every == 0;
  return began_ >= next_;
}

bool Checkpointer::MakeSpec() {
  if (spec_.has_value()) return true;
  const absl::StatusOr<uint64_t> spec = SpecHash(target_, options_);
  if (spec.ok()) spec_ = *spec;
  return spec.ok();
}

void Checkpointer::Save(std::optional<RunState> run) {
  if (MakeSpec()) {
    control_.on_checkpoint(SerializeCheckpoint({.fingerprint = NumericFingerprint(),
                                                .spec = *spec_,
                                                .seconds = record_.Seconds(),
                                                .record = record_.state(),
                                                .restarts = restarts_,
                                                .run = std::move(run)}));
  }
  const Clock::time_point now = Clock::now();
  next_ = now + std::max<Clock::duration>(kLeastInterval, kIntervalInWrites * (now - began_));
}

}  // namespace aisivi
