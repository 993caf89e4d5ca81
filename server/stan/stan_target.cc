#include "server/stan/stan_target.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/stan/evaluator.h"
#include "server/store/descriptor.h"
#include "server/store/durable_file.h"

namespace aisivi::server {
namespace {

// Points that are tried for one with a density, uniform on [-2, 2]^D: as Stan looks for its start.
constexpr int kAttempts = 100;
constexpr double kRange = 2;
// Few: a point of a program that solves differential equations takes hundreds of microseconds
// (those of Lotka and Volterra 277), and threads share a batch. A judgement.
constexpr int64_t kPointsPerCall = 8;
// Processes of a target that may end badly before it is given up: a request for draws may find the
// machine busy, but no program is started again and again.
constexpr int kMaxFailures = 3;

// Evaluates by processes, each by one thread at a time. Thread-safe.
class StanTarget : public Target {
 public:
  StanTarget(std::string executable, Descriptor data, const StanTargetSettings& settings,
             ProgramDescription description, std::unique_ptr<Evaluator> first)
      : executable_(std::move(executable)),
        data_(std::move(data)),
        settings_(settings),
        description_(std::move(description)) {
    free_.push_back(std::move(first));
  }

  int dim() const override { return description_.dim; }
  std::vector<std::string> CoordinateNames() const override { return description_.coordinates; }
  std::vector<Variable> Variables() const override { return description_.variables; }

  int64_t PointsPerCall(int64_t usual) const override { return std::min(usual, kPointsPerCall); }

  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    log_density->resize(z.cols());
    if (score != nullptr) score->resize(dim(), z.cols());
    return With([&](Evaluator& evaluator) { return evaluator.Evaluate(z, log_density, score); });
  }

  absl::Status Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t seed, int64_t first,
                         Eigen::MatrixXd* values) const override {
    values->resize(description_.values, z.cols());
    return With([&](Evaluator& evaluator) { return evaluator.Constrain(z, seed, first, values); });
  }

 private:
  // Runs `use` with a process of its own. One that fails is not used again.
  template <typename Use>
  absl::Status With(const Use& use) const {
    absl::StatusOr<std::unique_ptr<Evaluator>> evaluator = Take();
    if (!evaluator.ok()) return evaluator.status();
    const absl::Status status = use(**evaluator);
    {
      const std::lock_guard lock(mutex_);
      --used_;
      if (status.ok()) {
        free_.push_back(*std::move(evaluator));
      } else {
        Fail(status);
      }
    }
    returned_.notify_one();
    return status;
  }

  absl::StatusOr<std::unique_ptr<Evaluator>> Take() const {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return !free_.empty() || used_ < settings_.processes; });
    if (failures_ >= kMaxFailures) return last_failure_;
    ++used_;
    if (!free_.empty()) {
      std::unique_ptr<Evaluator> evaluator = std::move(free_.back());
      free_.pop_back();
      return evaluator;
    }
    lock.unlock();
    ProgramDescription description;
    absl::StatusOr<std::unique_ptr<Evaluator>> evaluator =
        Evaluator::Start(executable_, data_.get(), settings_.evaluator, &description);
    absl::Status status = evaluator.status();
    if (status.ok() &&
        (description.dim != description_.dim || description.values != description_.values)) {
      status = absl::InternalError("a second process of the Stan program has other parameters");
    }
    if (status.ok()) return evaluator;
    lock.lock();
    --used_;
    Fail(status);
    lock.unlock();
    returned_.notify_one();
    return status;
  }

  void Fail(const absl::Status& status) const {
    ++failures_;
    last_failure_ = status;
  }

  const std::string executable_;
  const Descriptor data_;
  const StanTargetSettings settings_;
  const ProgramDescription description_;
  mutable std::mutex mutex_;
  mutable std::condition_variable returned_;
  mutable std::vector<std::unique_ptr<Evaluator>> free_;
  mutable int used_ = 0;
  mutable int failures_ = 0;
  mutable absl::Status last_failure_;
};

// The data as a file that nobody can change: every process reads it.
absl::StatusOr<Descriptor> DataFile(absl::string_view data) {
  Descriptor file(memfd_create("stan_data", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.get() < 0) return absl::InternalError("cannot make a file in memory");
  if (absl::Status status = WriteAll(file.get(), data, "data"); !status.ok()) return status;
  fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  return file;
}

absl::Status FindDensity(Evaluator& evaluator, int dim) {
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<double> uniform(-kRange, kRange);
  Eigen::VectorXd log_density(1);
  Eigen::MatrixXd score(dim, 1);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Eigen::MatrixXd z =
        Eigen::MatrixXd::NullaryExpr(dim, 1, [&] { return attempt == 0 ? 0.0 : uniform(engine); });
    if (absl::Status status = evaluator.Evaluate(z, &log_density, &score); !status.ok()) {
      return status;
    }
    if (std::isfinite(log_density[0])) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("program: the density is zero at ", kAttempts,
                   " points with unconstrained coordinates in [-2, 2]; at the last: ",
                   evaluator.last_message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Target>> MakeStanTarget(const std::string& executable,
                                                             absl::string_view encoded_data,
                                                             const StanTargetSettings& settings) {
  absl::StatusOr<Descriptor> data = DataFile(encoded_data);
  if (!data.ok()) return data.status();
  ProgramDescription description;
  absl::StatusOr<std::unique_ptr<Evaluator>> first =
      Evaluator::Start(executable, data->get(), settings.evaluator, &description);
  if (!first.ok()) {
    if (!absl::IsInvalidArgument(first.status())) return first.status();
    // How many parameters there are depends on the data, but is the program's affair.
    const bool of_program = absl::StartsWith(first.status().message(), "has ");
    return absl::InvalidArgumentError(
        absl::StrCat(of_program ? "program: " : "data: ", first.status().message()));
  }
  if (absl::Status status = FindDensity(**first, description.dim); !status.ok()) return status;
  return std::make_unique<StanTarget>(executable, *std::move(data), settings,
                                      std::move(description), *std::move(first));
}

}  // namespace aisivi::server
