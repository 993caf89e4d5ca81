// The data of a target that names a data set: its x and y, and what their columns are called.
//
// By reflection over the fields that such a target's message has, whatever the target: `dataset`,
// `response`, `predictors` and `intercept`, in place of `x` and `y` (target.proto).
#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/target.pb.h"
#include "google/protobuf/descriptor.h"
#include "server/store/dataset_store.h"

namespace aisivi::server {

struct TargetData {
  Eigen::MatrixXd x;                 // N×P
  Eigen::VectorXd y;                 // N
  std::vector<std::string> columns;  // P names; "intercept" for that of ones
  std::string response;              // the name of y
};

// Whether a field of a target's message says where its data come from; it is no parameter then.
bool SaysWhereDataAre(const google::protobuf::FieldDescriptor* field);

// Whether a target can name a data set.
bool TakesDataset(absl::string_view target);

// The data set that a target names; empty when it names none.
std::string DatasetOf(const v1::TargetSpec& spec);

// Keeps that data set for as long as the lease lives; null when the target names none. NOT_FOUND at
// "FIELD.TARGET.dataset".
absl::StatusOr<DatasetLease> LeaseDatasetOf(const v1::TargetSpec& spec, absl::string_view field,
                                            DatasetStore* datasets);

// None when the target names no data set. `datasets` may be null where there are none. Errors at
// "FIELD.TARGET.dataset", ".response", ".predictors[I]" or ".intercept": NOT_FOUND when there is no
// such data set, DATA_LOSS when it cannot be read, INVALID_ARGUMENT otherwise.
absl::StatusOr<std::optional<TargetData>> ReadTargetData(const v1::TargetSpec& spec,
                                                         absl::string_view field,
                                                         DatasetStore* datasets);

// An error of the engine about x and y, "x: …" or "y: …", in terms of the columns that they are.
absl::Status AtColumns(const TargetData& data, absl::string_view path, const absl::Status& error);

// Numbers that an evaluation of the target reads, nearly.
double TargetNumbers(const v1::TargetSpec& spec, DatasetStore* datasets);

}  // namespace aisivi::server
