// Client::ServeDensity: answering batches on the caller's thread, across broken connections.
#include "client/density.h"

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/client.h"
#include "client/names.h"
#include "client/status.h"

namespace aisivi {
namespace {

using Stream = grpc::ClientReaderWriter<v1::ServeDensityRequest, v1::ServeDensityResponse>;

static_assert(std::endian::native == std::endian::little, "arrays travel as little endian");

v1::Parameter Named(const std::string& name, const std::vector<int64_t>& shape) {
  v1::Parameter parameter;
  parameter.set_name(name);
  for (const int64_t size : shape) parameter.add_shape(size);
  return parameter;
}

v1::ServeDensityRequest Offer(const DensityDefinition& definition, const std::string& name) {
  v1::ServeDensityRequest request;
  v1::DensityOffer* offer = request.mutable_offer();
  offer->set_density(name);
  for (const v1::Parameter& parameter : definition.parameters) *offer->add_parameters() = parameter;
  offer->set_unnormalised(definition.unnormalised);
  offer->set_display_name(definition.display_name);
  offer->set_omit_check(definition.omit_check);
  if (definition.deadline > absl::ZeroDuration()) {
    *offer->mutable_deadline() = ToDuration(absl::ToDoubleSeconds(definition.deadline));
  }
  if (definition.patience > absl::ZeroDuration()) {
    *offer->mutable_patience() = ToDuration(absl::ToDoubleSeconds(definition.patience));
  }
  return request;
}

std::string Bytes(const double* numbers, int64_t count) {
  std::string bytes(static_cast<size_t>(count) * sizeof(double), '\0');
  std::memcpy(bytes.data(), numbers, bytes.size());
  return bytes;
}

absl::Status Evaluate(const DensityDefinition& definition, const Eigen::MatrixXd& x,
                      Eigen::VectorXd* log_density, Eigen::MatrixXd* score) {
  try {
    if (absl::Status s = definition.function(x, log_density, score); !s.ok()) return s;
  } catch (const std::exception& error) {
    return absl::AbortedError(absl::StrCat("the function threw: ", error.what()));
  }
  const bool fits = score == nullptr || (score->rows() == x.rows() && score->cols() == x.cols());
  if (log_density->size() == x.cols() && fits) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the function returned ", log_density->size(),
                                          " log densities for ", x.cols(),
                                          " points, or a score of another shape than theirs"));
}

v1::ServeDensityRequest Answer(const DensityDefinition& definition, const v1::Batch& batch) {
  v1::ServeDensityRequest request;
  v1::BatchAnswer* answer = request.mutable_answer();
  answer->set_id(batch.id());
  const int64_t points = batch.points();
  const int64_t numbers = static_cast<int64_t>(batch.values().size() / sizeof(double));
  if (points < 1 || numbers % points != 0) {
    answer->set_error(absl::StrCat("a batch of ", points, " points has ", numbers, " values"));
    return request;
  }
  Eigen::MatrixXd x(numbers / points, points), score;
  std::memcpy(x.data(), batch.values().data(), static_cast<size_t>(numbers) * sizeof(double));
  Eigen::VectorXd log_density(points);
  if (batch.score()) score.resize(x.rows(), points);
  const absl::Status status =
      Evaluate(definition, x, &log_density, batch.score() ? &score : nullptr);
  if (!status.ok()) {
    answer->set_error(status.message().empty() ? "failed" : std::string(status.message()));
    return request;
  }
  answer->set_log_density(Bytes(log_density.data(), points));
  if (batch.score()) answer->set_score(Bytes(score.data(), numbers));
  return request;
}

// One connection to its end. `name` becomes that of the density once it is accepted.
absl::Status ServeOnce(v1::DensityService::Stub& stub, const DensityDefinition& definition,
                       const ServeOptions& options, std::string* name, bool* accepted) {
  grpc::ClientContext context;
  const std::stop_callback on_stop(options.stop, [&context] { context.TryCancel(); });
  const std::unique_ptr<Stream> stream = stub.ServeDensity(&context);
  bool open = stream->Write(Offer(definition, *name));
  v1::ServeDensityResponse response;
  while (open && stream->Read(&response)) {
    if (response.has_accepted()) {
      *name = response.accepted().density();
      *accepted = true;
      if (options.on_accepted) options.on_accepted(*name);
    } else if (response.has_batch()) {
      open = stream->Write(Answer(definition, response.batch()));
    }
  }
  return FromGrpcStatus(stream->Finish());
}

// That another connection may mend.
bool IsBreak(const absl::Status& status, bool accepted) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status) || status.ok() ||
         (accepted && absl::IsDeadlineExceeded(status));
}

// Waits, but not after a request to stop.
void Pause(absl::Duration duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, absl::ToChronoMilliseconds(duration), [] { return false; });
}

}  // namespace

v1::Parameter RealParameter(const std::string& name, const std::vector<int64_t>& shape) {
  return Named(name, shape);
}

v1::Parameter PositiveParameter(const std::string& name, const std::vector<int64_t>& shape) {
  v1::Parameter parameter = Named(name, shape);
  parameter.mutable_constraint()->set_kind(v1::Constraint::KIND_LOWER);
  return parameter;
}

absl::Status Client::ServeDensity(const DensityDefinition& definition,
                                  const ServeOptions& options) const {
  constexpr absl::Duration kShortest = absl::Milliseconds(50), kLongest = absl::Seconds(1);
  std::string name = options.density;
  absl::Duration pause = kShortest;
  absl::Time broken_since = absl::InfiniteFuture();
  while (true) {
    bool accepted = false;
    const absl::Status status = ServeOnce(*densities_, definition, options, &name, &accepted);
    if (options.stop.stop_requested()) return absl::OkStatus();
    if (!IsBreak(status, accepted)) return status;
    if (accepted) {
      pause = kShortest;
      broken_since = absl::InfiniteFuture();
    }
    broken_since = std::min(broken_since, absl::Now());
    if (absl::Now() - broken_since >= options.reconnect) {
      return status.ok() ? absl::UnavailableError("the server keeps ending the stream") : status;
    }
    Pause(pause, options.stop);
    if (options.stop.stop_requested()) return absl::OkStatus();
    pause = std::min(2 * pause, kLongest);
  }
}

}  // namespace aisivi
