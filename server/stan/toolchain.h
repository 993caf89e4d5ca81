// The Stan that is installed: what translates programs to C++, and the headers that it needs.
//
//   Debian   R's rstan (package r-cran-rstan, Stan 2.21) translates, within a twentieth of a
//            second after R's start; the headers are r-cran-stanheaders, libboost-dev,
//            libeigen3-dev and libtbb-dev. Today's syntax is rewritten for it. A
//            stand-alone stanc would have to be built first from the grammar, which takes minutes.
//   CmdStan  where the server is told of one: its bin/stanc and the headers beside it, of whatever
//            version they are.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace aisivi::server {

struct StanToolchain {
  std::string name;           // "Stan 2.21 (r-cran-rstan)", for people
  bool old_syntax = false;    // programs need WithOldSyntax()
  bool slim_headers = false;  // host/prelude.h and host/special_functions.cc are for it
  bool is_cmdstan = false;
  std::string stanc;                   // the program that translates: R, or bin/stanc
  std::string home;                    // CmdStan's folder, to read; empty: /usr has all
  std::string compiler;                // g++
  std::vector<std::string> flags;      // of the compiler, for all sources
  std::vector<std::string> libraries;  // of the linker
  std::string identity;                // versions of everything, for the cache's keys
};

// CmdStan in `stan_home`, or Debian's where that is empty. FAILED_PRECONDITION, with what is
// missing and how to get it. Runs the compiler once, to ask its version.
absl::StatusOr<StanToolchain> FindStanToolchain(const std::string& stan_home);

// The command that translates `program` (a file) to `cpp`, its class called "stan_program".
// `script`: a file with TranslateScript(), for Debian's.
std::vector<std::string> TranslateCommand(const StanToolchain& toolchain, const std::string& script,
                                          const std::string& program, const std::string& cpp);

// Of R: translates a file and prints what Stan says is wrong.
std::string TranslateScript();

}  // namespace aisivi::server
