#include "client/request_size.h"

#include <gtest/gtest.h>

#include "aisivi/v1/fit_service.pb.h"

namespace aisivi {
namespace {

TEST(LargestField, NamesTheMatrixThatFillsTheRequest) {
  v1::CreateFitRequest request;
  v1::LogisticRegressionTarget* target =
      request.mutable_fit()->mutable_target()->mutable_logistic_regression();
  target->mutable_x()->mutable_values()->Resize(1000, 0.5);
  target->mutable_y()->Resize(10, 1);
  EXPECT_EQ(LargestField(request), "fit.target.logistic_regression.x");
}

TEST(LargestField, NamesAText) {
  v1::CreateFitRequest request;
  request.mutable_fit()->set_preset(std::string(5000, 'a'));
  request.mutable_fit()->set_display_name("b");
  EXPECT_EQ(LargestField(request), "fit.preset");
  request.mutable_fit()->set_display_name(std::string(5000, 'c'));
  EXPECT_EQ(LargestField(request), "fit");
}

TEST(LargestField, SaysNothingOfAnEmptyMessage) {
  EXPECT_EQ(LargestField(v1::CreateFitRequest()), "");
}

}  // namespace
}  // namespace aisivi
