#include "server/remote/offer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/strings/match.h"
#include "server/remote/density_name.h"
#include "server/remote/parameters.h"
#include "tests/server/remote/testing.h"

namespace aisivi::server {
namespace {

TEST(OfferTest, TakesWhatIsRightWithItsDefaults) {
  absl::StatusOr<Offer> offer = ReadOffer(test::Offer());
  ASSERT_TRUE(offer.ok()) << offer.status();
  EXPECT_EQ(offer->density.map.unconstrained(), 3);
  EXPECT_EQ(offer->density.map.constrained(), 3);
  EXPECT_EQ(offer->deadline, absl::Seconds(30));
  EXPECT_EQ(offer->density.patience, absl::Seconds(4));
  EXPECT_TRUE(offer->check);
  v1::DensityOffer message = test::Offer();
  message.mutable_deadline()->set_nanos(100'000'000);
  message.mutable_patience()->set_seconds(3600);
  message.set_omit_check(true);
  message.set_unnormalised(true);
  offer = ReadOffer(message);
  ASSERT_TRUE(offer.ok()) << offer.status();
  EXPECT_EQ(offer->deadline, absl::Milliseconds(100));
  EXPECT_EQ(offer->density.patience, absl::Hours(1));
  EXPECT_FALSE(offer->check);
  EXPECT_TRUE(offer->density.unnormalised);
}

TEST(OfferTest, WhatIsWrongIsNamed) {
  const auto refused = [](const std::string& field,
                          const std::function<void(v1::DensityOffer*)>& spoil) {
    v1::DensityOffer message = test::Offer();
    spoil(&message);
    const absl::Status status = ReadOffer(message).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_TRUE(absl::StartsWith(status.message(), field + ": ")) << status;
  };
  refused("offer.parameters", [](auto* o) { o->clear_parameters(); });
  refused("offer.parameters[1].name", [](auto* o) { o->mutable_parameters(1)->set_name("1"); });
  refused("offer.parameters[0].shape", [](auto* o) { o->mutable_parameters(0)->add_shape(0); });
  refused("offer.parameters[1].constraint.kind", [](auto* o) {
    o->mutable_parameters(1)->mutable_constraint()->set_kind(static_cast<v1::Constraint::Kind>(77));
  });
  refused("offer.parameters", [](auto* o) { o->mutable_parameters(0)->set_shape(0, 4096); });
  refused("offer.deadline", [](auto* o) { o->mutable_deadline()->set_nanos(1); });
  refused("offer.deadline", [](auto* o) { o->mutable_deadline()->set_seconds(3601); });
  refused("offer.patience", [](auto* o) { o->mutable_patience()->set_seconds(-1); });
  refused("offer.density", [](auto* o) { o->set_density("densities/1"); });
  refused("offer.density", [](auto* o) { o->set_density("densities/" + std::string(32, 'G')); });
  refused("offer.display_name", [](auto* o) { o->set_display_name(std::string(257, 'x')); });
  refused("offer.display_name", [](auto* o) { o->set_display_name("\x1b[2J"); });
  refused("offer", [](auto* o) { o->set_display_name(std::string(2'000'000, 'x')); });
}

TEST(OfferTest, NamesCannotBeGuessedAndHaveTheirForm) {
  const std::string one = NewDensityName(), other = NewDensityName();
  EXPECT_NE(one, other);
  EXPECT_EQ(one.size(), 42);
  EXPECT_TRUE(CheckDensityName("density", one).ok());
}

TEST(OfferTest, ParametersComeBackAsTheyWent) {
  v1::DensityOffer message = test::Offer();
  v1::Parameter* scaled = message.add_parameters();
  scaled->set_name("scaled");
  scaled->mutable_constraint()->set_kind(v1::Constraint::KIND_AFFINE);
  scaled->mutable_constraint()->set_offset(1);
  scaled->mutable_constraint()->set_multiplier(3);
  const absl::StatusOr<ParameterMap> map = ToParameterMap(message.parameters(), "parameters");
  ASSERT_TRUE(map.ok()) << map.status();
  const absl::StatusOr<ParameterMap> again = ToParameterMap(ToMessages(*map), "parameters");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(SameParameters(*map, *again));
  // What the constraint does not read makes no difference; what it reads does.
  scaled->mutable_constraint()->set_upper(5);
  EXPECT_TRUE(SameParameters(*map, *ToParameterMap(message.parameters(), "parameters")));
  scaled->mutable_constraint()->set_offset(2);
  EXPECT_FALSE(SameParameters(*map, *ToParameterMap(message.parameters(), "parameters")));
}

}  // namespace
}  // namespace aisivi::server
