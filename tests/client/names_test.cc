#include "client/names.h"

#include <cmath>

#include "gtest/gtest.h"

namespace aisivi {
namespace {

TEST(ShortName, LeavesOutWhatAllHaveInCommon) {
  EXPECT_EQ(ShortName(v1::Fit::STATE_RUNNING), "RUNNING");
  EXPECT_EQ(ShortName(v1::Fit::TERMINATION_REASON_TIME_LIMIT), "TIME_LIMIT");
  EXPECT_EQ(ShortName(v1::FitVerdict::GRADE_DO_NOT_TRUST), "DO_NOT_TRUST");
  EXPECT_EQ(ShortName(static_cast<v1::Fit::State>(77)), "77") << "of a newer server";
}

TEST(MethodName, IsWhatTheServiceSaysOrElseWhatIsAskedFor) {
  v1::Fit fit;
  EXPECT_EQ(MethodName(fit), "");
  fit.mutable_method()->mutable_kpg_is();
  EXPECT_EQ(MethodName(fit), "kpg_is");
  fit.mutable_effective_settings()->mutable_method()->mutable_gaussian();
  EXPECT_EQ(MethodName(fit), "gaussian");
}

TEST(Seconds, GoThereAndBack) {
  for (const double seconds : {0.0, 0.25, 3.75, -0.5, -2.25, 1e6 + 0.125}) {
    const google::protobuf::Duration duration = ToDuration(seconds);
    EXPECT_EQ(ToSeconds(duration), seconds);
    EXPECT_GE(static_cast<double>(duration.seconds()) * duration.nanos(), 0);
  }
}

}  // namespace
}  // namespace aisivi
