#include "server/metrics/metrics_endpoint.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/metrics/server_metrics.h"

namespace aisivi::server {
namespace {

TEST(MetricsEndpointTest, HoldsItsPortUntilItEnds) {
  const auto metrics = std::make_shared<ServerMetrics>("1.2.3", "generic");
  for (const std::string host : {"127.0.0.1", "0.0.0.0"}) {
    auto first = MetricsEndpoint::Start(absl::StrCat(host, ":0"), metrics);
    ASSERT_TRUE(first.ok()) << first.status();
    const std::string address = absl::StrCat(host, ":", (*first)->port());
    const absl::Status taken = MetricsEndpoint::Start(address, metrics).status();
    EXPECT_TRUE(absl::IsUnavailable(taken)) << taken;
    EXPECT_THAT(taken.message(), testing::HasSubstr(address));
    first->reset();
    EXPECT_TRUE(MetricsEndpoint::Start(address, metrics).ok());
  }
}

TEST(MetricsEndpointTest, RefusesWhatIsNoAddress) {
  const auto metrics = std::make_shared<ServerMetrics>("1.2.3", "generic");
  EXPECT_TRUE(absl::IsUnavailable(MetricsEndpoint::Start("nowhere:x", metrics).status()));
}

}  // namespace
}  // namespace aisivi::server
