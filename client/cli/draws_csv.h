// Draws as CSV in the layout of CmdStan's `variational` method, which ArviZ, cmdstanr and posterior
// read:
//
//   # comments with the settings, "key = value"
//   lp__,log_p__,log_g__,z.1,z.2,…      the names of the elements last, CmdStan's, between
//                                       quotation marks where they have commas
//   0,0,0,mean of z.1,mean of z.2,…     the first row is the mean of the approximation, or of the
//                                       draws when they are resampled
//   0,log p̃(z),log q̂₊(z),z.1,z.2,…     then one row for each draw
//
// Source: CmdStan User's Guide, "Variational inference using ADVI", output files.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "aisivi/v1/posterior_service.pb.h"

namespace aisivi::cli {

struct DrawsHeader {
  std::string fit;     // its name
  std::string method;  // "aisivi"
  std::string target;  // "banana"
  int64_t count = 0;
  uint64_t seed = 0;
  std::vector<std::string> names;  // of the P numbers of a draw, as the service has them
  std::vector<double> mean;        // P
  bool resampled = false;          // by importance weights
};

// An element's name in CmdStan's way: "theta.2.1" for "theta[2,1]"; a label is kept as it is,
// "beta.temperature" for "beta[temperature]".
std::string CsvName(const std::string& name);

void WriteDrawsHeader(const DrawsHeader& header, std::ostream& out);

// The rows of one chunk; the densities are "nan" where it has none.
void WriteDraws(const v1::DrawsChunk& chunk, std::ostream& out);

}  // namespace aisivi::cli
