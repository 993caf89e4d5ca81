#include "client/experiments/fingerprint.h"

#include "absl/strings/str_format.h"

namespace aisivi::experiments {

std::string Fingerprint(absl::string_view text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return absl::StrFormat("%08x", hash);
}

std::string Fingerprint(const Eigen::MatrixXd& values) {
  return Fingerprint(absl::string_view(reinterpret_cast<const char*>(values.data()),
                                       static_cast<size_t>(values.size()) * sizeof(double)));
}

}  // namespace aisivi::experiments
