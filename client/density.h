// Serving a density: this process evaluates log p and its score, and fits of the service ask it.
//
//   aisivi::DensityDefinition density;
//   density.parameters = {aisivi::RealParameter("mu"), aisivi::PositiveParameter("sigma")};
//   density.function = [](const auto& x, Eigen::VectorXd* log_density, Eigen::MatrixXd* score) {…};
//   client.ServeDensity(density, {.on_accepted = [](const std::string& name) {…}, .stop = …});
//
// `name` is what a fit's target.remote.density names. Protocol:
// proto/aisivi/v1/density_service.proto.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "aisivi/v1/parameter.pb.h"

namespace aisivi {

// Real numbers of that shape; none: a scalar.
v1::Parameter RealParameter(const std::string& name, const std::vector<int64_t>& shape = {});
// Above 0.
v1::Parameter PositiveParameter(const std::string& name, const std::vector<int64_t>& shape = {});

struct DensityDefinition {
  std::vector<v1::Parameter> parameters;
  // log p at every column of x (V×N: the elements of the parameters, on the scale that they state),
  // with its constants and without a Jacobian:
  //   log_density  has N entries to fill; -inf and NaN stand for a density of zero
  //   score        null, or V×N to fill: ∂ log p/∂x
  // Both come as they must go. An error ends the fit that asked, with its message.
  std::function<absl::Status(const Eigen::Ref<const Eigen::MatrixXd>& x,
                             Eigen::VectorXd* log_density, Eigen::MatrixXd* score)>
      function;
  bool unnormalised = false;  // log p is known up to a constant only
  std::string display_name;
  // What an answer may take, and what a fit waits for when nobody answers; 0: the service's
  // default.
  absl::Duration deadline = absl::ZeroDuration();
  absl::Duration patience = absl::ZeroDuration();
  bool omit_check = false;  // of the score against finite differences, at the opening
};

struct ServeOptions {
  // A density that is there already, which this process serves too; empty: a new one.
  std::string density;
  // Called with its name on the thread that serves, after every connection. May be empty.
  std::function<void(const std::string& name)> on_accepted;
  // Ends the serving. May be requested from any thread, and by the functions above.
  std::stop_token stop;
  // A broken connection is taken up again, under the same name, for as long as this.
  absl::Duration reconnect = absl::Seconds(30);
};

}  // namespace aisivi
