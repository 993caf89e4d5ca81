// What the server and an evaluating process write into the memory that they share, and the form in
// which a program gets its data. Both sides include this; nothing else is common to them.
//
// An exchange: the server fills the request's fields and the points, and writes one byte to the
// socket; the process answers in the same memory and writes one byte back. What it answers is not
// to be trusted: the server checks counts against what it asked for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aisivi::stan_host {

// File descriptors of an evaluating process.
constexpr int kSocketFd = 3;
constexpr int kSharedFd = 4;
constexpr int kDataFd = 5;

// Names the layout: a program compiled for another one is compiled anew.
constexpr uint32_t kVersion = 1;

// D of a program (target.proto).
constexpr int kMaxDimension = 4096;
// Points of an exchange: 64 take a few hundred microseconds at the densities' usual 1 to 10 µs,
// many times what the exchange itself costs.
constexpr uint64_t kMaxPoints = 1024;
// A process answers early once this much time has passed, with the points it has: the deadline is
// then one for a point, and a cancelled fit ends soon.
constexpr double kExchangeSeconds = 0.1;
// Seconds that a point, and the transformed data before the first one, may take.
constexpr int kPointSeconds = 10;
constexpr int kConstructSeconds = 30;

// How a process ends that its memory does not suffice for.
constexpr int kExitOutOfMemory = 3;
// It could not be set up: isolation failed, or the shared memory is not what it should be.
constexpr int kExitNoSetup = 4;

enum Request : uint32_t { kEvaluate = 1, kConstrain = 2 };
enum Answer : uint32_t { kDone = 0, kFailed = 1 };

constexpr size_t kMaxMessage = 4096;

struct Exchange {
  // Of the server.
  uint32_t request;
  uint32_t want_score;
  uint64_t count;  // points
  uint64_t seed;   // of kConstrain
  int64_t first;   // of kConstrain: number of the first point
  // Of the process.
  uint32_t answer;
  uint64_t done;              // points that are answered, at least 1 when `answer` is kDone
  uint64_t non_finite;        // of them, those whose density is zero
  char message[kMaxMessage];  // why: of kFailed, or what the last such point threw
};

// The memory: an Exchange, then at kAreaOffset
//   once the program is set up: its description, text (see Describe() of host.cc), message[]
//   unused; kEvaluate:  count×D points, count log densities, count×D scores kConstrain: count×D
//   points, count×P values
constexpr size_t kAreaOffset = 8192;
constexpr size_t kAreaBytes = size_t{16} << 20;
constexpr size_t kSharedBytes = kAreaOffset + kAreaBytes;
static_assert(sizeof(Exchange) <= kAreaOffset);

// Data: a uint64 count of variables, then each
//   uint64 is_int, uint64 bytes of the name, uint64 number of sizes, uint64 number of values,
//   the name (padded to 8 bytes), the sizes (uint64), the values (int64 or double),
// values with the first index fastest.

}  // namespace aisivi::stan_host
