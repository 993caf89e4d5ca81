// A program that links aisivi_client and knows nothing of this project's flags: memory of Eigen
// that the library has allocated is freed here, and the other way round.
#include <gtest/gtest.h>

#include "client/client.h"

namespace {

static_assert(EIGEN_MAX_ALIGN_BYTES == 64, "handed on by the target");

TEST(ClientInterfaceTest, MatricesOfTheLibraryAreFreedHere) {
  for (int size = 1; size < 40; ++size) {
    const Eigen::MatrixXd points = Eigen::MatrixXd::Constant(size, 3, 0.5);
    Eigen::MatrixXd back = aisivi::PointsFromProto(aisivi::PointsToProto(points));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(back.data()) % 64, 0u);
    EXPECT_EQ(back, points);
    back.resize(2 * size, 3);
  }
}

}  // namespace
