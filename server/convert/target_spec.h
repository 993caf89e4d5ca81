// The target of a request, as the engine's parameters: one generic conversion by reflection, so
// that a new target needs a message in target.proto and nothing here.
//
//   optional double / int32 / int64 → number       repeated double / int32 → vector
//   Matrix → matrix                                repeated Matrix → list of matrices
//
// What is not set is left out; the engine then takes its default. Texts and flags say where the
// data come from instead (target_data.h).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/target.pb.h"
#include "engine/targets/registry.h"
#include "server/convert/target_sources.h"

namespace aisivi::server {

// The name of the target that is set, for instance "banana"; empty when none is.
std::string TargetName(const v1::TargetSpec& spec);

// A matrix of a request. INVALID_ARGUMENT at `field` when its sizes disagree or an entry is not
// finite.
absl::StatusOr<Eigen::MatrixXd> ToMatrix(const v1::Matrix& matrix, absl::string_view field);
// Row after row.
v1::Matrix ToMatrixMessage(const Eigen::Ref<const Eigen::MatrixXd>& matrix);

// INVALID_ARGUMENT at "FIELD.TARGET.PARAMETER" when no target is set or a number is not finite.
absl::StatusOr<TargetParameters> ToTargetParameters(const v1::TargetSpec& spec,
                                                    absl::string_view field);

// A target made from a request, its coordinates named by the columns of its data set when it names
// one. INVALID_ARGUMENT at "FIELD.TARGET.PARAMETER",
// and the errors of ReadTargetData(); NOT_FOUND at "FIELD.remote.density" when nobody serves it.
absl::StatusOr<std::unique_ptr<const Target>> BuildTarget(const v1::TargetSpec& spec,
                                                          absl::string_view field,
                                                          const TargetSources& sources = {});

// As BuildTarget(), of a fit that was accepted before: a density that stays with the user need not
// be served, and is then there for its parameters alone; it is not waited for.
absl::StatusOr<std::unique_ptr<const Target>> BuildStoredTarget(const v1::TargetSpec& spec,
                                                                absl::string_view field,
                                                                const TargetSources& sources = {});

// Fills in what of `spec` only the server knows, for the fit to keep. NOT_FOUND at
// "FIELD.remote.density".
absl::Status CompleteTarget(absl::string_view field, const TargetSources& sources,
                            v1::TargetSpec* spec);

// The exact log Z of a target that can be built, where it is known. May take some seconds: not for
// the threads of RPCs.
std::optional<double> KnownLogZ(const v1::TargetSpec& spec, const TargetSources& sources = {});

// Leaves out all vectors, matrices and lists of names.
void StripArrays(v1::TargetSpec* spec);

}  // namespace aisivi::server
