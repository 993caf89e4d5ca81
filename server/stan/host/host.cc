// The main program that a compiled Stan program is linked with: evaluates its log density, gradient
// and outputs for the server, over shared memory. Compiled on the server's machine, against the
// headers of the Stan that is installed there.
//
//   argv: bytes of memory it may use. Descriptors: those of wire.h.
#include <sys/stat.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <stan/math/rev/core.hpp>
#include <stan/model/model_base.hpp>
#include <stan/services/util/create_rng.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "data_context.h"
#include "isolation.h"
#include "wire.h"

// Of the generated code.
stan::model::model_base& new_model(stan::io::var_context& data, unsigned int seed,
                                   std::ostream* messages);

namespace aisivi::stan_host {
namespace {

using Clock = std::chrono::steady_clock;
using stan::math::var;
using VarVector = Eigen::Matrix<var, Eigen::Dynamic, 1>;
using Rng = std::decay_t<decltype(stan::services::util::create_rng(0U, 0U))>;

// Of random numbers in transformed data: the same for all who evaluate a program.
constexpr unsigned int kDataSeed = 1;

struct Shared {
  Exchange* exchange;
  char* area;
};

struct Program {
  stan::model::model_base* model;
  size_t dim;     // D
  size_t values;  // P
};

void StartTimer(int seconds) {
  const itimerval timer{{0, 0}, {seconds, 0}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

void SetMessage(Exchange* exchange, const char* text) {
  std::snprintf(exchange->message, kMaxMessage, "%s", text);
}

[[noreturn]] void EndOutOfMemory() { _exit(kExitOutOfMemory); }

// False when it is not finite.
bool Score(var log_density, const VarVector& z, double* score) {
  log_density.grad();
  bool finite = true;
  for (Eigen::Index d = 0; d < z.size(); ++d) {
    score[d] = z[d].adj();
    finite = finite && std::isfinite(score[d]);
  }
  return finite;
}

// One evaluation: log p̃ with all constants and the log |J| of the transforms; −∞ where the program
// rejects, throws or is not finite. Without a score it is computed in double, in a third of the
// time, else with Stan's tape. The two agree to rounding, except where a program solves
// differential equations: beside the tape a solver's steps obey the errors of the sensitivities
// too, without it those of the solution alone, so that the two differ by what the program's
// tolerances let pass (Lotka and Volterra's with 1e-5 relative, 1e-3 absolute: 0.02 nats, 1.6e-4 of
// the log density).
double LogDensity(const Program& program, const double* point, double* score, Exchange* exchange) {
  constexpr double kZero = -std::numeric_limits<double>::infinity();
  double log_density = kZero;
  try {
    double value = 0;
    bool has_score = true;
    if (score == nullptr) {
      Eigen::VectorXd z = Eigen::Map<const Eigen::VectorXd>(point, program.dim);
      value = program.model->log_prob_jacobian(z, nullptr);
    } else {
      VarVector z(program.dim);
      for (size_t d = 0; d < program.dim; ++d) z[d] = point[d];
      const var result = program.model->log_prob_jacobian(z, nullptr);
      value = result.val();
      has_score = !std::isfinite(value) || Score(result, z, score);
    }
    if (!std::isfinite(value)) {
      SetMessage(exchange, std::isnan(value) ? "the log density is not a number"
                                             : "the log density is not finite");
    } else if (!has_score) {
      SetMessage(exchange, "the gradient is not finite");
    } else {
      log_density = value;
    }
  } catch (const std::bad_alloc&) {
    EndOutOfMemory();
  } catch (const std::exception& error) {
    SetMessage(exchange, error.what());
  }
  stan::math::recover_memory();
  if (score != nullptr && log_density == kZero) {
    std::fill(score, score + program.dim, std::numeric_limits<double>::quiet_NaN());
  }
  return log_density;
}

bool Late(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count() > kExchangeSeconds;
}

void Evaluate(const Program& program, const Shared& shared) {
  Exchange& exchange = *shared.exchange;
  const uint64_t count = exchange.count;
  const bool want_score = exchange.want_score != 0;
  const double* points = reinterpret_cast<const double*>(shared.area);
  double* log_density = reinterpret_cast<double*>(shared.area) + count * program.dim;
  double* score = log_density + count;
  const Clock::time_point start = Clock::now();
  uint64_t done = 0;
  for (; done < count && (done == 0 || !Late(start)); ++done) {
    log_density[done] = LogDensity(program, points + done * program.dim,
                                   want_score ? score + done * program.dim : nullptr, &exchange);
    if (!std::isfinite(log_density[done])) ++exchange.non_finite;
  }
  exchange.done = done;
  exchange.answer = kDone;
}

// Two seeds of 32 bits that differ for every draw of every request (splitmix64, Steele et al.
// 2014).
Rng DrawRng(uint64_t seed, uint64_t draw) {
  uint64_t x = seed + 0x9e3779b97f4a7c15ULL * (draw + 1);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  x ^= x >> 31;
  const auto low = static_cast<unsigned int>(x), high = static_cast<unsigned int>(x >> 32);
  if constexpr (std::is_same_v<Rng, boost::ecuyer1988>) {
    // Each of its two generators needs a seed that is not zero modulo its own modulus.
    return Rng(low % 2147483562U + 1, high % 2147483398U + 1);
  } else {
    return stan::services::util::create_rng(low, high);
  }
}

void ConstrainOne(const Program& program, const double* point, Rng rng, double* values) {
  Eigen::VectorXd z = Eigen::Map<const Eigen::VectorXd>(point, program.dim), x;
  std::fill(values, values + program.values, std::numeric_limits<double>::quiet_NaN());
  try {
    program.model->write_array(rng, z, x, true, true, nullptr);
    std::copy_n(x.data(), std::min<size_t>(x.size(), program.values), values);
  } catch (const std::bad_alloc&) {
    EndOutOfMemory();
  } catch (const std::exception&) {
    // As where the density is zero: the draw has no values.
  }
}

void Constrain(const Program& program, const Shared& shared) {
  Exchange& exchange = *shared.exchange;
  const uint64_t count = exchange.count;
  const double* points = reinterpret_cast<const double*>(shared.area);
  double* values = reinterpret_cast<double*>(shared.area) + count * program.dim;
  const Clock::time_point start = Clock::now();
  uint64_t done = 0;
  for (; done < count && (done == 0 || !Late(start)); ++done) {
    ConstrainOne(program, points + done * program.dim,
                 DrawRng(exchange.seed, static_cast<uint64_t>(exchange.first) + done),
                 values + done * program.values);
  }
  stan::math::recover_memory();
  exchange.done = done;
  exchange.answer = kDone;
}

// "D P Q\n" (Q: how many of the P values are parameters), the D names of coordinates, one a line,
// then a line for every variable: its name and its sizes.
std::string Describe(const Program& program) {
  std::vector<std::string> names, coordinates, parameters;
  std::vector<std::vector<size_t>> dims;
  program.model->constrained_param_names(parameters, false, false);
  program.model->unconstrained_param_names(coordinates, false, false);
  program.model->get_param_names(names);
  program.model->get_dims(dims);
  std::string text = std::to_string(program.dim) + " " + std::to_string(program.values) + " " +
                     std::to_string(parameters.size()) + "\n";
  for (const std::string& name : coordinates) text += name + "\n";
  for (size_t i = 0; i < names.size() && i < dims.size(); ++i) {
    text += names[i];
    for (const size_t size : dims[i]) text += " " + std::to_string(size);
    text += "\n";
  }
  return text;
}

size_t CountValues(const stan::model::model_base& model) {
  std::vector<std::vector<size_t>> dims;
  model.get_dims(dims);
  size_t values = 0;
  for (const std::vector<size_t>& sizes : dims) {
    size_t product = 1;
    for (const size_t size : sizes) product *= size;
    values += product;
  }
  return values;
}

// Reads the data and runs the program's transformed data. What is wrong with them is a message.
bool Construct(const char* data, size_t data_bytes, const Shared& shared, Program* program) {
  try {
    // The model may keep a reference.
    auto* context = new DataContext(data, data_bytes);
    program->model = &new_model(*context, kDataSeed, nullptr);
    program->dim = program->model->num_params_r();
    program->values = CountValues(*program->model);
    if (program->dim < 1 || program->dim > static_cast<size_t>(kMaxDimension)) {
      const std::string text = "has " + std::to_string(program->dim) +
                               " unconstrained parameters; 1 to " + std::to_string(kMaxDimension) +
                               " can be fitted";
      SetMessage(shared.exchange, text.c_str());
      return false;
    }
    const std::string text = Describe(*program);
    if ((program->dim + program->values) * sizeof(double) > kAreaBytes ||
        text.size() >= kAreaBytes) {
      SetMessage(shared.exchange, "has more outputs than the server takes");
      return false;
    }
    std::memcpy(shared.area, text.c_str(), text.size() + 1);
    return true;
  } catch (const std::bad_alloc&) {
    EndOutOfMemory();
  } catch (const std::exception& error) {
    SetMessage(shared.exchange, error.what());
    return false;
  }
}

bool WaitForRequest() {
  char byte = 0;
  return read(kSocketFd, &byte, 1) == 1;
}

bool SendAnswer() {
  const char byte = 1;
  return write(kSocketFd, &byte, 1) == 1;
}

int Main(uint64_t memory_bytes) {
  struct stat data_file {};
  if (fstat(kDataFd, &data_file) != 0) return kExitNoSetup;
  const auto data_bytes = static_cast<size_t>(data_file.st_size);
  void* data = mmap(nullptr, data_bytes, PROT_READ, MAP_PRIVATE, kDataFd, 0);
  void* memory = mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, kSharedFd, 0);
  if (data == MAP_FAILED || memory == MAP_FAILED) return kExitNoSetup;
  close(kDataFd);
  close(kSharedFd);
  std::signal(SIGALRM, SIG_DFL);
  static stan::math::ChainableStack tape;  // of this thread
  if (!Isolate(memory_bytes)) return kExitNoSetup;

  const Shared shared{static_cast<Exchange*>(memory), static_cast<char*>(memory) + kAreaOffset};
  Program program{};
  StartTimer(kConstructSeconds);
  const bool ready = Construct(static_cast<const char*>(data), data_bytes, shared, &program);
  StartTimer(0);
  shared.exchange->answer = ready ? kDone : kFailed;
  if (!SendAnswer() || !ready) return 0;
  while (WaitForRequest()) {
    shared.exchange->non_finite = 0;
    StartTimer(kPointSeconds);
    if (shared.exchange->request == kEvaluate) {
      Evaluate(program, shared);
    } else {
      Constrain(program, shared);
    }
    StartTimer(0);
    if (!SendAnswer()) break;
  }
  return 0;
}

}  // namespace
}  // namespace aisivi::stan_host

int main(int argc, char** argv) {
  if (argc != 2) return aisivi::stan_host::kExitNoSetup;
  // Without destructors: they may make calls that are not allowed any more.
  _exit(aisivi::stan_host::Main(std::strtoull(argv[1], nullptr, 10)));
}
