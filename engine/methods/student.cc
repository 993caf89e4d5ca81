#include "engine/methods/student.h"

namespace aisivi {
namespace {

constexpr int64_t kTabulated = 15;
constexpr double kTable[kTabulated] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                       2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131};

}  // namespace

double StudentReach(int64_t degrees) {
  if (degrees <= kTabulated) return kTable[degrees - 1];
  constexpr double z = kNormalReach, z2 = z * z;
  const double n = static_cast<double>(degrees);
  return z * (1 + (z2 + 1) / (4 * n) + (5 * z2 * z2 + 16 * z2 + 3) / (96 * n * n));
}

}  // namespace aisivi
