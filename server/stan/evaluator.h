// One process that evaluates a Stan program with its data (host/host.cc), from the server's side.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/transforms/parameter.h"
#include "server/stan/child_process.h"
#include "server/stan/host/wire.h"
#include "server/stan/sandbox.h"
#include "server/store/descriptor.h"

namespace aisivi::server {

// How a program is started.
struct EvaluatorSettings {
  SandboxKind sandbox = SandboxKind::kBubblewrap;
  std::vector<std::string> read_only;  // paths that the executable's libraries are in, beside /usr
  int64_t memory_bytes = 0;            // address space
};

// What a program with its data is.
struct ProgramDescription {
  int dim = 0;                           // D
  int64_t values = 0;                    // P: elements of all variables
  std::vector<std::string> coordinates;  // D names
  std::vector<Variable> variables;       // with at least one element each
};

// Not thread-safe.
class Evaluator {
 public:
  // Starts `executable` and has it read `data`, the form of EncodeStanData() in a file descriptor.
  // `description` is what it says of itself.
  //   INVALID_ARGUMENT    the program and the data do not go together: Stan's message
  //   RESOURCE_EXHAUSTED  it takes more memory or time than it may
  //   INTERNAL            it crashed, or could not be started
  static absl::StatusOr<std::unique_ptr<Evaluator>> Start(const std::string& executable,
                                                          int data_fd,
                                                          const EvaluatorSettings& settings,
                                                          ProgramDescription* description);
  ~Evaluator();

  // As Target::Evaluate() and Target::Constrain(); outputs have their sizes. An error, as of
  // Start(), is the process's end.
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score);
  absl::Status Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t seed, int64_t first,
                         Eigen::MatrixXd* values);

  // What the last point threw whose density was zero; empty: none did.
  const std::string& last_message() const { return last_message_; }

 private:
  Evaluator(ChildProcess process, Descriptor socket, void* memory, int64_t memory_bytes);

  stan_host::Exchange& exchange() { return *static_cast<stan_host::Exchange*>(memory_); }
  double* area() {
    return reinterpret_cast<double*>(static_cast<char*>(memory_) + stan_host::kAreaOffset);
  }
  std::string Message();
  // Has the points in the shared memory answered, at least one.
  absl::StatusOr<int64_t> Ask(stan_host::Request request, int64_t count);
  absl::Status AwaitAnswer(int seconds);
  // Why the process is no more.
  absl::Status Ended(int seconds);

  ChildProcess process_;
  Descriptor socket_;
  void* memory_;
  int64_t memory_bytes_;
  int dim_ = 0;
  int64_t values_ = 0;
  std::string last_message_;
};

}  // namespace aisivi::server
