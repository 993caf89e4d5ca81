#include "server/remote/batch.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays travel as little endian");

constexpr int64_t kBytes = sizeof(double);

absl::Status CheckSize(absl::string_view field, size_t bytes, int64_t numbers,
                       const std::string& shape) {
  if (bytes == static_cast<size_t>(numbers * kBytes)) return absl::OkStatus();
  const bool single = bytes == static_cast<size_t>(numbers) * sizeof(float);
  return FieldError(
      field, absl::StrCat("has ", bytes, " bytes; ", shape, " of float64 are ", numbers * kBytes,
                          single ? ". These are float32, JAX's default: set jax_enable_x64, or "
                                   "convert what the function returns"
                                 : ""));
}

}  // namespace

int64_t PointsPerBatch(int64_t values) {
  return std::max<int64_t>(1, kMostBatchBytes / (kBytes * (values + 1)));
}

std::shared_ptr<Batch> MakeBatch(int64_t id, const Eigen::Ref<const Eigen::MatrixXd>& x, bool score,
                                 bool check) {
  auto batch = std::make_shared<Batch>();
  batch->id = id;
  batch->points = x.cols();
  batch->values = x.rows();
  batch->score = score;
  batch->check = check;
  auto message = std::make_shared<v1::ServeDensityResponse>();
  v1::Batch* to = message->mutable_batch();
  to->set_id(id);
  to->set_points(static_cast<int32_t>(x.cols()));
  to->set_score(score);
  to->set_check(check);
  std::string* bytes = to->mutable_values();
  bytes->resize(static_cast<size_t>(x.size() * kBytes));
  for (int64_t j = 0; j < x.cols(); ++j) {
    std::memcpy(bytes->data() + j * x.rows() * kBytes, x.col(j).data(),
                static_cast<size_t>(x.rows() * kBytes));
  }
  batch->message = std::move(message);
  return batch;
}

absl::Status CheckAnswer(const Batch& batch, const v1::BatchAnswer& answer) {
  if (!answer.error().empty()) return absl::OkStatus();
  absl::Status status =
      CheckSize("answer.log_density", answer.log_density().size(), batch.points,
                absl::StrCat(batch.points, batch.points == 1 ? " point" : " points"));
  if (!status.ok()) return status;
  if (!batch.score) {
    if (answer.score().empty()) return absl::OkStatus();
    return FieldError("answer.score",
                      absl::StrCat("has ", answer.score().size(),
                                   " bytes, of a batch that asked for log densities alone"));
  }
  return CheckSize("answer.score", answer.score().size(), batch.points * batch.values,
                   absl::StrCat(batch.points, " x ", batch.values, " derivatives"));
}

void ReadAnswer(const Batch& batch, Eigen::Ref<Eigen::VectorXd> log_density, Eigen::MatrixXd* score,
                int64_t first_column) {
  std::memcpy(log_density.data(), batch.answer.log_density().data(),
              static_cast<size_t>(batch.points * kBytes));
  if (score == nullptr) return;
  std::memcpy(score->col(first_column).data(), batch.answer.score().data(),
              static_cast<size_t>(batch.points * batch.values * kBytes));
}

}  // namespace aisivi::server
