#include "server/jobs/fit_filter.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/jobs/fit_name.h"

namespace aisivi::server {
namespace {

using ::testing::StartsWith;

v1::Fit Example() {
  v1::Fit fit;
  fit.set_state(v1::Fit::STATE_RUNNING);
  fit.mutable_effective_settings()->mutable_method()->mutable_bsivi();
  fit.set_preset("bsivi_banana");
  (*fit.mutable_labels())["owner"] = "ann = bob";
  return fit;
}

TEST(FitFilterTest, Matches) {
  const struct {
    const char* filter;
    bool matches;
  } cases[] = {{"", true},
               {"   ", true},
               {"state=RUNNING", true},
               {"state = \"RUNNING\"", true},
               {"state=STATE_RUNNING", true},
               {"state=QUEUED", false},
               {"state!=QUEUED", true},
               {"state != RUNNING", false},
               {"method=bsivi AND preset=bsivi_banana", true},
               {"method=bsivi AND preset=other", false},
               {"labels.owner=\"ann = bob\"", true},
               {"labels.owner=ann", false},
               {"labels.none!=x", true}};
  for (const auto& c : cases) {
    const absl::StatusOr<FitFilter> filter = FitFilter::Parse(c.filter);
    ASSERT_TRUE(filter.ok()) << c.filter << ": " << filter.status();
    EXPECT_EQ(filter->Matches(Example()), c.matches) << c.filter;
  }
}

TEST(FitFilterTest, BadFiltersAreRefused) {
  for (const char* text : {"RUNNING", "=RUNNING", "state=WALKING", "color=red", "labels.=x",
                           "state=RUNNING AND", "state=RUNNING AND method"}) {
    const absl::Status status = FitFilter::Parse(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), StartsWith("filter: ")) << text;
  }
}

TEST(FitNameTest, AcceptsItsOwnNamesOnly) {
  const std::string id = NewFitId();
  EXPECT_EQ(*ParseFitName("name", FitName(id)), id);
  EXPECT_NE(NewFitId(), id);
  for (const std::string& bad :
       {std::string(), std::string("fits/"), id, "fits/" + id + "/x", std::string("fits/../etc"),
        std::string("fits/UPPER"), "fits/" + std::string(64, 'a')}) {
    const absl::Status status = ParseFitName("name", bad).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(status.message()), StartsWith("name: ")) << bad;
  }
}

}  // namespace
}  // namespace aisivi::server
