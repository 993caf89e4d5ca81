#include "client/experiments/regression_input.h"

#include <sstream>

#include "client/cli/data_csv.h"
#include "client/client.h"
#include "client/experiments/example_data.h"

namespace aisivi::experiments {
namespace {

RegressionInput ToInput(v1::TargetSpec spec, const std::string& source) {
  RegressionInput input;
  v1::LogisticRegressionTarget* target = spec.mutable_logistic_regression();
  target->set_prior_precision(input.data.prior_precision);
  input.data.x = PointsFromProto(target->x()).transpose();
  input.data.y = Eigen::VectorXd::Map(target->y().data(), target->y_size());
  input.spec = std::move(spec);
  input.source = source;
  return input;
}

}  // namespace

absl::StatusOr<RegressionInput> ReadRegression(const std::string& file) {
  v1::Fit fit;
  fit.mutable_target()->mutable_logistic_regression();
  if (absl::Status read = cli::ReadDataFile(file, &fit); !read.ok()) return read;
  return ToInput(fit.target(), file);
}

absl::StatusOr<RegressionInput> ReadRegressionOrExample(const std::string& file) {
  if (!file.empty()) return ReadRegression(file);
  std::istringstream stream{std::string(ExampleWaveform())};
  absl::StatusOr<cli::RegressionData> data = cli::ReadRegressionData("waveform.csv", stream);
  if (!data.ok()) return data.status();
  v1::TargetSpec spec;
  v1::LogisticRegressionTarget* target = spec.mutable_logistic_regression();
  *target->mutable_x() = std::move(data->x);
  target->mutable_y()->Add(data->y.begin(), data->y.end());
  return ToInput(std::move(spec), "deploy/data/waveform.csv");
}

}  // namespace aisivi::experiments
