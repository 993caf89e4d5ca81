// The README's example: fit the banana, and read the result.
#include <iostream>

#include "client/client.h"

int main(int argc, char** argv) {
  const aisivi::Client client(argc > 1 ? argv[1] : "127.0.0.1:50051");

  aisivi::v1::Fit fit;
  fit.mutable_target()->mutable_banana();
  fit.mutable_schedule()->set_iterations(300);
  const absl::StatusOr<aisivi::v1::Fit> created = client.CreateFit(fit);
  if (!created.ok()) {
    std::cerr << created.status() << "\n";
    return 1;
  }

  const absl::StatusOr<aisivi::v1::Fit> done =
      client.Watch(created->name(), [](const aisivi::v1::WatchFitResponse& event) {
        std::cout << "iteration " << event.progress().iteration() << "\n";
      });
  const absl::StatusOr<aisivi::Draws> draws =
      done.ok() ? client.GetDraws(done->name(), {.count = 1000}) : done.status();
  if (!draws.ok()) {
    std::cerr << draws.status() << "\n";
    return 1;
  }

  std::cout << "posterior mean " << draws->z.rowwise().mean().transpose() << "\n"
            << "log evidence " << done->evidence().log_z() << " ± "
            << done->evidence().standard_error() << "\n";
  return 0;
}
