#include "server/remote/offer.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/remote/density_name.h"
#include "server/remote/parameters.h"
#include "server/status.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

constexpr size_t kMaxDisplayName = 256;
constexpr size_t kMaxOfferBytes = 1'000'000;
constexpr absl::Duration kDefaultDeadline = absl::Seconds(30);
// Enough for a process to connect again, and soon enough to tell who waits for the fit.
constexpr absl::Duration kDefaultPatience = absl::Seconds(4);
constexpr absl::Duration kLongest = absl::Hours(1);

absl::StatusOr<absl::Duration> ReadDuration(absl::string_view field,
                                            const google::protobuf::Duration& message,
                                            absl::Duration shortest) {
  const absl::Duration duration =
      absl::Seconds(message.seconds()) + absl::Nanoseconds(message.nanos());
  if (duration >= shortest && duration <= kLongest) return duration;
  return FieldError(
      field, absl::StrCat("must be between ", absl::FormatDuration(shortest), " and ",
                          absl::FormatDuration(kLongest), ", is ", absl::FormatDuration(duration)));
}

absl::Status CheckTexts(const v1::DensityOffer& message) {
  if (message.ByteSizeLong() > kMaxOfferBytes) {
    return FieldError(
        "offer", absl::StrCat("has ", message.ByteSizeLong(), " bytes; at most ", kMaxOfferBytes));
  }
  if (!message.density().empty()) {
    absl::Status status = CheckDensityName("offer.density", message.density());
    if (!status.ok()) return status;
  }
  if (message.display_name().size() > kMaxDisplayName) {
    return FieldError("offer.display_name",
                      absl::StrCat("has more than ", kMaxDisplayName, " bytes"));
  }
  if (HasControlCharacters(message.display_name())) {
    return FieldError("offer.display_name",
                      absl::StrCat("has control characters: ", Quoted(message.display_name())));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Offer> ReadOffer(const v1::DensityOffer& message) {
  if (absl::Status status = CheckTexts(message); !status.ok()) return status;
  absl::Duration deadline = kDefaultDeadline, patience = kDefaultPatience;
  if (message.has_deadline()) {
    absl::StatusOr<absl::Duration> read =
        ReadDuration("offer.deadline", message.deadline(), absl::Milliseconds(100));
    if (!read.ok()) return read.status();
    deadline = *read;
  }
  if (message.has_patience()) {
    absl::StatusOr<absl::Duration> read =
        ReadDuration("offer.patience", message.patience(), absl::ZeroDuration());
    if (!read.ok()) return read.status();
    patience = *read;
  }
  absl::StatusOr<ParameterMap> map = ToParameterMap(message.parameters(), "offer.parameters");
  if (!map.ok()) return map.status();
  return Offer{{message.density(), *std::move(map), message.unnormalised(), patience},
               deadline,
               !message.omit_check()};
}

}  // namespace aisivi::server
