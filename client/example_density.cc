// The README's example of a density that stays in this process: it is served, and fitted.
#include <cmath>
#include <iostream>
#include <thread>

#include "client/client.h"

// y_i ~ N(mu, sigma²), mu ~ N(0, 1), sigma ~ Exponential(1), for every column (mu, sigma) of x.
absl::Status LogDensity(const Eigen::Ref<const Eigen::MatrixXd>& x, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) {
  const Eigen::Array4d y(0.3, 1.1, -0.4, 0.8);
  for (Eigen::Index j = 0; j < x.cols(); ++j) {
    const double mu = x(0, j), sigma = x(1, j);
    const Eigen::Array4d z = (y - mu) / sigma;
    (*log_density)[j] = -0.5 * z.square().sum() - 4 * std::log(sigma) - 0.5 * mu * mu - sigma -
                        2.5 * std::log(2 * M_PI);
    if (score == nullptr) continue;
    (*score)(0, j) = z.sum() / sigma - mu;
    (*score)(1, j) = (z.square().sum() - 4) / sigma - 1;
  }
  return absl::OkStatus();
}

void Fit(const aisivi::Client& client, const std::string& density) {
  aisivi::v1::Fit fit;
  fit.mutable_target()->mutable_remote()->set_density(density);
  const absl::StatusOr<aisivi::v1::Fit> created = client.CreateFit(fit);
  const absl::StatusOr<aisivi::v1::Fit> done =
      created.ok() ? client.Watch(created->name()) : created.status();
  if (!done.ok()) {
    std::cerr << done.status() << "\n";
    return;
  }
  std::cout << "log evidence " << done->evidence().log_z() << "\n"
            << done->verdict().sentence() << "\n";
}

int main(int argc, char** argv) {
  const aisivi::Client client(argc > 1 ? argv[1] : "127.0.0.1:50051");
  const aisivi::DensityDefinition density = {
      .parameters = {aisivi::RealParameter("mu"), aisivi::PositiveParameter("sigma")},
      .function = LogDensity};
  std::stop_source stop;
  std::jthread fitter;
  const absl::Status served =
      client.ServeDensity(density, {.on_accepted =
                                        [&](const std::string& name) {
                                          if (fitter.joinable()) return;  // connected again
                                          fitter = std::jthread([&client, &stop, name] {
                                            Fit(client, name);
                                            stop.request_stop();
                                          });
                                        },
                                    .stop = stop.get_token()});
  if (!served.ok()) std::cerr << served << "\n";
  return served.ok() ? 0 : 1;
}
