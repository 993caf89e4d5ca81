#include "client/experiments/variant.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace aisivi::experiments {

const std::vector<Variant>& Variants() {
  static const auto* const kVariants = new std::vector<Variant>{
      {"aisivi", true}, {"bsivi", true}, {"aisivi", false}, {"bsivi", false}};
  return *kVariants;
}

Variant VariantOf(const FitKey& key) { return {key.method, !key.preset.empty()}; }

std::string Title(const Variant& variant) {
  return absl::StrCat(variant.method, variant.authors ? ", authors' preset" : ", defaults");
}

std::string Label(const Variant& variant) {
  return absl::StrCat(variant.method, variant.authors ? " preset" : " default");
}

std::string Shortening(const Variant& variant, const std::string& target) {
  // BSIVI's presets take seconds as they are.
  if (!variant.authors || variant.method != "aisivi") return "";
  if (target == "banana") return "inner_samples=512 iterations=1000 decay_every=500";
  if (target == "multimodal") return "inner_samples=256 iterations=1000 decay_every=500";
  return "iterations=1000 decay_every=500";
}

std::string TrainedFor(int64_t iterations) {
  return absl::StrCat("iterations=", iterations, " keep_last=true");
}

std::string AtMost(int64_t iterations) { return absl::StrCat("iterations=", iterations); }

std::string WithCouplings(int64_t couplings) { return absl::StrCat("couplings=", couplings); }

std::string JoinSets(const std::vector<std::string>& sets) {
  std::vector<std::string> given;
  for (const std::string& set : sets) {
    if (!set.empty()) given.push_back(set);
  }
  return absl::StrJoin(given, " ");
}

FitKey KeyOf(const Variant& variant, const std::string& target, uint64_t seed,
             const Settings& settings) {
  FitKey key;
  key.target = target;
  key.method = variant.method;
  if (variant.authors) key.preset = absl::StrCat(variant.method, "_", target);
  std::vector<std::string> sets = settings.set;
  if (IsQuick(settings)) sets.insert(sets.begin(), Shortening(variant, target));
  key.set = JoinSets(sets);
  key.seed = seed;
  return key;
}

}  // namespace aisivi::experiments
