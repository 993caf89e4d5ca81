#include "server/jobs/fit_work.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "server/convert/settings.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr double kNetworkNumbers = 64;

// A product of settings, times the numbers of a sample.
struct Product {
  std::vector<std::string> factors;
  double samples;
  double most;  // numbers
};

absl::Status Check(const Product& product, absl::string_view method, int dim) {
  const double numbers = product.samples * NumbersPerSample(dim);
  if (numbers <= product.most) return absl::OkStatus();
  std::vector<std::string> fields;
  for (const std::string& factor : product.factors) {
    fields.push_back(absl::StrCat("fit.", SettingPath(method, factor)));
  }
  return FieldsError(
      fields,
      absl::StrFormat("%s is %.3g; with %d dimensions at most %.3g can be done in reasonable time",
                      absl::StrJoin(product.factors, " x "), product.samples, dim,
                      product.most / NumbersPerSample(dim)));
}

absl::Status CheckRow(const std::vector<Product>& row, absl::string_view method, int dim) {
  for (const Product& product : row) {
    if (absl::Status status = Check(product, method, dim); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

double NumbersPerSample(int dim) { return dim + kNetworkNumbers; }

absl::Status CheckFitDimension(int dim, absl::string_view target_field) {
  if (dim <= kMaxFitDimension) return absl::OkStatus();
  return FieldError(target_field,
                    absl::StrFormat("has %d dimensions; at most %d can be fitted, since a fit "
                                    "holds matrices of dimensions x dimensions",
                                    dim, kMaxFitDimension));
}

absl::Status CheckFitWork(const FitOptions& o, int dim, absl::string_view target_field) {
  if (absl::Status status = CheckFitDimension(dim, target_field); !status.ok()) return status;
  const auto number = [](int64_t value) { return static_cast<double>(value); };
  const double inner = number(o.points) * number(o.inner_samples) * number(o.chunks);
  const double flow = number(o.points) * number(o.flow_steps);
  const double runs = number(o.restarts);
  // Of each row the first that is too large.
  const std::vector<Product> rows[] = {
      {{{"points", "inner_samples", "chunks"}, inner, kMaxStepWork},
       {{"points", "inner_samples", "chunks", "iterations", "restarts"},
        inner * number(o.iterations) * runs,
        kMaxFitWork}},
      {{{"points", "flow_steps"}, flow, kMaxStepWork},
       {{"points", "flow_steps", "iterations", "restarts"},
        flow * number(o.iterations) * runs,
        kMaxFitWork}},
      {{{"points", "flow_pretrain_iterations", "restarts"},
        number(o.points) * number(o.flow_pretrain_iterations) * runs,
        kMaxFitWork}},
      {{{"points", "evidence_flow_iterations", "restarts"},
        number(o.points) * number(o.evidence_flow_iterations) * runs,
        kMaxFitWork}},
      {{{"evidence_draws", "evidence_inner_samples"},
        number(o.evidence_draws) * number(o.evidence_inner_samples),
        kMaxDensityWork}},
      // Every evaluation also goes through matrices of D×D.
      {{{"reference_evaluations"},
        number(o.reference_evaluations),
        kMaxFitWork / static_cast<double>(dim)}},
  };
  std::vector<absl::Status> errors;
  for (const std::vector<Product>& row : rows) errors.push_back(CheckRow(row, o.method, dim));
  return AllErrors(errors);
}

}  // namespace aisivi::server
