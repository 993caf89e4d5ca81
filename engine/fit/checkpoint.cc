#include "engine/fit/checkpoint.h"

#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "engine/fit/checkpoint_fields.h"
#include "engine/model/bytes.h"
#include "engine/model/model_bytes.h"

namespace aisivi {
namespace {

constexpr char kMagic[8] = {'A', 'I', 'S', 'I', 'V', 'I', 'C', '\0'};
constexpr uint32_t kVersion = 1;
constexpr int64_t kMostEntries = int64_t{1} << 30;  // rows or columns

// The last enumerators.
constexpr uint8_t LastOf(FitPhase) { return static_cast<uint8_t>(FitPhase::kDone); }
constexpr uint8_t LastOf(TerminationReason) {
  return static_cast<uint8_t>(TerminationReason::kTargetLost);
}
constexpr uint8_t LastOf(MultistartEnd) { return static_cast<uint8_t>(MultistartEnd::kNotFitted); }
constexpr uint8_t LastOf(EvidenceKind) { return static_cast<uint8_t>(EvidenceKind::kAnnealing); }
constexpr uint8_t LastOf(RunStage) { return static_cast<uint8_t>(RunStage::kEvidence); }

class FieldWriter {
 public:
  static constexpr bool kWriting = true;

  explicit FieldWriter(ByteWriter* out) : out_(*out) {}

  template <typename... T>
  void operator()(const T&... fields) {
    (Put(fields), ...);
  }

 private:
  template <typename T>
  void Put(const T& field) {
    if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>) {
      out_.Put<uint8_t>(static_cast<uint8_t>(field));
    } else if constexpr (std::is_arithmetic_v<T>) {
      out_.Put<T>(field);
    } else {
      CheckpointFields::Visit(*this, field);
    }
  }
  void Put(const std::string& text) {
    out_.Put<int64_t>(static_cast<int64_t>(text.size()));
    out_.Raw(text.data(), text.size());
  }
  void Put(const ModelState& model) { Put(SerializeModelState(model)); }
  void Put(const std::shared_ptr<const Model>& model) {
    Put(model != nullptr);
    if (model != nullptr) Put(model->state());
  }
  template <typename Scalar, int rows, int columns>
  void Put(const Eigen::Matrix<Scalar, rows, columns>& matrix) {
    out_.Put<int64_t>(matrix.rows());
    if constexpr (columns != 1) out_.Put<int64_t>(matrix.cols());
    out_.Raw(reinterpret_cast<const char*>(matrix.data()),
             static_cast<size_t>(matrix.size()) * sizeof(Scalar));
  }
  template <typename T>
  void Put(const std::vector<T>& all) {
    out_.Put<int64_t>(static_cast<int64_t>(all.size()));
    if constexpr (std::is_arithmetic_v<T>) {
      out_.Raw(reinterpret_cast<const char*>(all.data()), all.size() * sizeof(T));
    } else {
      for (const T& field : all) Put(field);
    }
  }
  template <typename T>
  void Put(const std::optional<T>& field) {
    Put(field.has_value());
    if (field.has_value()) Put(*field);
  }

  ByteWriter& out_;
};

class FieldReader {
 public:
  static constexpr bool kWriting = false;

  explicit FieldReader(ByteReader* in) : in_(*in) {}

  template <typename... T>
  void operator()(T&... fields) {
    (Get(fields), ...);
  }

 private:
  template <typename T>
  void Get(T& field) {
    if constexpr (std::is_same_v<T, bool>) {
      field = Below(2) != 0;
    } else if constexpr (std::is_enum_v<T>) {
      field = static_cast<T>(Below(LastOf(T()) + 1));
    } else if constexpr (std::is_arithmetic_v<T>) {
      field = in_.Get<T>();
    } else {
      CheckpointFields::Visit(*this, field);
    }
  }
  void Get(std::string& text) { text = in_.Take(in_.Get<int64_t>()); }
  void Get(ModelState& model) {
    absl::StatusOr<std::unique_ptr<ModelState>> read =
        ParseModelState(in_.Take(in_.Get<int64_t>()));
    if (read.ok()) {
      model = std::move(**read);
    } else {
      in_.Fail();
    }
  }
  void Get(std::shared_ptr<const Model>& model) {
    bool present = false;
    Get(present);
    if (!present) return;
    auto state = std::make_unique<ModelState>();
    Get(*state);
    if (in_.ok()) model = std::make_shared<const Model>(std::move(state));
  }
  template <typename Scalar, int rows, int columns>
  void Get(Eigen::Matrix<Scalar, rows, columns>& matrix) {
    const int64_t height = in_.GetSize(0, kMostEntries);
    const int64_t width = columns == 1 ? 1 : in_.GetSize(0, kMostEntries);
    if (!in_.ok() || !in_.Has(height * width, sizeof(Scalar))) return;
    matrix.resize(height, width);
    in_.Raw(reinterpret_cast<char*>(matrix.data()),
            static_cast<size_t>(height * width) * sizeof(Scalar));
  }
  // One by one, as long as there are bytes: a count alone allocates nothing.
  template <typename T>
  void Get(std::vector<T>& all) {
    const int64_t count = in_.Get<int64_t>();
    if constexpr (std::is_arithmetic_v<T>) {
      if (!in_.Has(count, sizeof(T))) return;
      all.resize(static_cast<size_t>(count));
      in_.Raw(reinterpret_cast<char*>(all.data()), all.size() * sizeof(T));
    } else {
      if (!in_.Has(count, 1)) return;
      for (int64_t i = 0; i < count && in_.ok(); ++i) Get(all.emplace_back());
    }
  }
  template <typename T>
  void Get(std::optional<T>& field) {
    bool present = false;
    Get(present);
    if (present) Get(field.emplace());
  }
  uint8_t Below(int end) {
    const uint8_t value = in_.Get<uint8_t>();
    if (value >= end) in_.Fail();
    return in_.ok() ? value : 0;
  }

  ByteReader& in_;
};

}  // namespace

std::string SerializeCheckpoint(const FitCheckpoint& checkpoint) {
  ByteWriter out;
  out.Raw(kMagic, sizeof(kMagic));
  out.Put<uint32_t>(kVersion);
  FieldWriter fields(&out);
  fields(checkpoint);
  return std::move(out).Finish();
}

absl::StatusOr<FitCheckpoint> ParseCheckpoint(std::string_view bytes) {
  if (bytes.size() < sizeof(kMagic) + sizeof(kVersion) + sizeof(uint64_t) ||
      std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) {
    return absl::DataLossError("checkpoint: these bytes are not one, or not all of it");
  }
  if (!TakeChecksum(&bytes)) {
    return absl::DataLossError("checkpoint: the checksum does not match; the bytes are damaged");
  }
  bytes.remove_prefix(sizeof(kMagic));
  ByteReader in(bytes);
  if (in.Get<uint32_t>() != kVersion) {
    return absl::FailedPreconditionError("checkpoint: written by another version of this program");
  }
  FitCheckpoint checkpoint;
  FieldReader fields(&in);
  fields(checkpoint);
  if (!in.ok() || !in.AtEnd()) {
    return absl::DataLossError("checkpoint: what these bytes say does not make one");
  }
  return checkpoint;
}

}  // namespace aisivi
