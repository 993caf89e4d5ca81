#include "server/stan/evaluator.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace aisivi::server {
namespace {

using stan_host::Exchange;

// The process ends itself when its time is over; this long after that it is killed.
constexpr absl::Duration kGrace = absl::Seconds(5);

absl::Status SystemError(absl::string_view what) {
  return absl::InternalError(absl::StrCat("cannot ", what, ": ", std::strerror(errno)));
}

// As people read it: without what Stan puts before every message, and the class's name.
std::string Readable(absl::string_view message) {
  const std::string text =
      absl::StrReplaceAll(message, {{"Exception: ", ""},
                                    {"in 'stan_program' at ", "at "},
                                    {"stan_program_namespace::stan_program: ", ""},
                                    {"stan_program", "program"},
                                    {"\n", " "}});
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(text), {{"  ", " "}, {"   ", " "}});
}

// "name 8 3" as a variable. None when it is not that.
std::optional<Variable> ReadVariable(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  Variable variable{std::string(words[0]), {}, {}, false};
  for (size_t i = 1; i < words.size(); ++i) {
    int64_t size = 0;
    if (!absl::SimpleAtoi(words[i], &size) || size < 0 || size > (1 << 30)) return std::nullopt;
    variable.shape.push_back(size);
  }
  return variable;
}

double Elements(const Variable& variable) {
  double elements = 1;
  for (const int64_t size : variable.shape) elements *= static_cast<double>(size);
  return elements;
}

// Reads what Describe() of host.cc wrote. False when it is not that.
bool ReadDescription(absl::string_view text, ProgramDescription* description) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  const std::vector<absl::string_view> sizes = absl::StrSplit(lines[0], ' ');
  int64_t parameters = 0;
  if (sizes.size() != 3 || !absl::SimpleAtoi(sizes[0], &description->dim) ||
      !absl::SimpleAtoi(sizes[1], &description->values) ||
      !absl::SimpleAtoi(sizes[2], &parameters) || description->dim < 1 ||
      description->dim > stan_host::kMaxDimension || description->values < 0 ||
      lines.size() < 1 + static_cast<size_t>(description->dim)) {
    return false;
  }
  const size_t first = 1 + static_cast<size_t>(description->dim);
  for (size_t i = 1; i < first; ++i) description->coordinates.emplace_back(lines[i]);
  double elements = 0;
  for (size_t i = first; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    std::optional<Variable> variable = ReadVariable(lines[i]);
    if (!variable.has_value()) return false;
    // Parameters come first.
    variable->derived = elements >= static_cast<double>(parameters);
    elements += Elements(*variable);
    if (Elements(*variable) > 0) description->variables.push_back(*std::move(variable));
  }
  return elements == static_cast<double>(description->values) &&
         (elements + description->dim) * sizeof(double) <= stan_host::kAreaBytes;
}

std::vector<std::string> Command(const std::string& executable, const EvaluatorSettings& settings) {
  SandboxPaths paths;
  paths.programs = false;
  paths.read_only = settings.read_only;
  paths.read_only.push_back(executable);
  // Its limits it sets itself, before it runs a line of the program.
  return Sandboxed(settings.sandbox, paths, {}, {executable, absl::StrCat(settings.memory_bytes)});
}

}  // namespace

Evaluator::Evaluator(ChildProcess process, Descriptor socket, void* memory, int64_t memory_bytes)
    : process_(std::move(process)),
      socket_(std::move(socket)),
      memory_(memory),
      memory_bytes_(memory_bytes) {}

Evaluator::~Evaluator() { munmap(memory_, stan_host::kSharedBytes); }

absl::StatusOr<std::unique_ptr<Evaluator>> Evaluator::Start(const std::string& executable,
                                                            int data_fd,
                                                            const EvaluatorSettings& settings,
                                                            ProgramDescription* description) {
  const Descriptor shared(memfd_create("stan", MFD_CLOEXEC));
  if (shared.get() < 0 || ftruncate(shared.get(), stan_host::kSharedBytes) != 0) {
    return SystemError("make shared memory");
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return SystemError("make a socket");
  }
  Descriptor here(ends[0]), there(ends[1]);
  void* memory =
      mmap(nullptr, stan_host::kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, shared.get(), 0);
  if (memory == MAP_FAILED) return SystemError("map shared memory");
  absl::StatusOr<ChildProcess> process =
      ChildProcess::Start(Command(executable, settings), {{stan_host::kSocketFd, there.get()},
                                                          {stan_host::kSharedFd, shared.get()},
                                                          {stan_host::kDataFd, data_fd}});
  if (!process.ok()) {
    munmap(memory, stan_host::kSharedBytes);
    return process.status();
  }
  // So that the end of the process ends the connection.
  there = Descriptor();
  std::unique_ptr<Evaluator> evaluator(
      new Evaluator(*std::move(process), std::move(here), memory, settings.memory_bytes));
  if (absl::Status status = evaluator->AwaitAnswer(stan_host::kConstructSeconds); !status.ok()) {
    return status;
  }
  if (evaluator->exchange().answer != stan_host::kDone) {
    return absl::InvalidArgumentError(evaluator->Message());
  }
  const char* text = reinterpret_cast<const char*>(evaluator->area());
  *description = {};
  if (!ReadDescription(std::string(text, strnlen(text, stan_host::kAreaBytes)), description)) {
    return absl::InternalError("the process of the Stan program describes it wrongly");
  }
  evaluator->dim_ = description->dim;
  evaluator->values_ = description->values;
  return evaluator;
}

absl::Status Evaluator::Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z,
                                 Eigen::VectorXd* log_density, Eigen::MatrixXd* score) {
  const int64_t per_point = 2 * dim_ + 1;
  for (int64_t first = 0; first < z.cols();) {
    const int64_t count = std::min<int64_t>(
        {z.cols() - first, static_cast<int64_t>(stan_host::kMaxPoints),
         static_cast<int64_t>(stan_host::kAreaBytes / sizeof(double)) / per_point});
    Eigen::Map<Eigen::MatrixXd>(area(), dim_, count) = z.middleCols(first, count);
    exchange().want_score = score != nullptr ? 1 : 0;
    const absl::StatusOr<int64_t> done = Ask(stan_host::kEvaluate, count);
    if (!done.ok()) return done.status();
    const double* answers = area() + count * dim_;
    log_density->segment(first, *done) = Eigen::Map<const Eigen::VectorXd>(answers, *done);
    if (score != nullptr) {
      score->middleCols(first, *done) =
          Eigen::Map<const Eigen::MatrixXd>(answers + count, dim_, *done);
    }
    if (exchange().non_finite > 0) last_message_ = Message();
    first += *done;
  }
  return absl::OkStatus();
}

absl::Status Evaluator::Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t seed,
                                  int64_t first, Eigen::MatrixXd* values) {
  for (int64_t begin = 0; begin < z.cols();) {
    const int64_t count = std::min<int64_t>(
        {z.cols() - begin, static_cast<int64_t>(stan_host::kMaxPoints),
         static_cast<int64_t>(stan_host::kAreaBytes / sizeof(double)) / (dim_ + values_)});
    Eigen::Map<Eigen::MatrixXd>(area(), dim_, count) = z.middleCols(begin, count);
    exchange().seed = seed;
    exchange().first = first + begin;
    const absl::StatusOr<int64_t> done = Ask(stan_host::kConstrain, count);
    if (!done.ok()) return done.status();
    values->middleCols(begin, *done) =
        Eigen::Map<const Eigen::MatrixXd>(area() + count * dim_, values_, *done);
    begin += *done;
  }
  return absl::OkStatus();
}

std::string Evaluator::Message() {
  const char* text = exchange().message;
  return Readable(std::string(text, strnlen(text, stan_host::kMaxMessage)));
}

absl::StatusOr<int64_t> Evaluator::Ask(stan_host::Request request, int64_t count) {
  exchange().request = request;
  exchange().count = static_cast<uint64_t>(count);
  const char byte = 1;
  if (send(socket_.get(), &byte, 1, MSG_NOSIGNAL) != 1) return Ended(stan_host::kPointSeconds);
  if (absl::Status status = AwaitAnswer(stan_host::kPointSeconds); !status.ok()) return status;
  const uint64_t done = exchange().done;
  if (done < 1 || done > static_cast<uint64_t>(count)) {
    return absl::InternalError("the process of the Stan program answers wrongly");
  }
  return static_cast<int64_t>(done);
}

absl::Status Evaluator::AwaitAnswer(int seconds) {
  const absl::Time deadline = absl::Now() + absl::Seconds(seconds) + kGrace;
  while (true) {
    pollfd readable{socket_.get(), POLLIN, 0};
    const int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    const int ready = poll(&readable, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    char byte = 0;
    if (ready > 0 && read(socket_.get(), &byte, 1) == 1) return absl::OkStatus();
    return Ended(seconds);
  }
}

absl::Status Evaluator::Ended(int seconds) {
  const std::optional<ChildEnd> ended = process_.Wait(absl::Seconds(1));
  const bool hangs = !ended.has_value();
  const ChildEnd end = hangs ? process_.Kill() : *ended;
  if (hangs || end.signal == SIGALRM) {
    return absl::ResourceExhaustedError(absl::StrCat("the Stan program took more than ", seconds,
                                                     seconds == stan_host::kPointSeconds
                                                         ? " s for one point: it was ended"
                                                         : " s to take its data: it was ended"));
  }
  if (end.exit_code == stan_host::kExitOutOfMemory && end.signal == 0) {
    return absl::ResourceExhaustedError(absl::StrCat("the Stan program needs more than ",
                                                     memory_bytes_ >> 20,
                                                     " MiB of memory (--stan_memory_mb)"));
  }
  if (end.signal == SIGSYS) {
    return absl::InternalError(
        "the Stan program made a system call that it may not make: it was ended");
  }
  if (end.signal == SIGKILL) {
    return absl::ResourceExhaustedError(
        "the process of the Stan program was killed, perhaps for lack of memory");
  }
  if (end.signal != 0) {
    return absl::InternalError(absl::StrCat("the Stan program crashed (", strsignal(end.signal),
                                            "); a recursion without end does that"));
  }
  return absl::InternalError(
      absl::StrCat("the process of the Stan program ended by itself, with code ", end.exit_code));
}

}  // namespace aisivi::server
