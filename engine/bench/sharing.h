// How several fits share one pool.
#pragma once

namespace aisivi::bench {

// Trains one fit and then four at once, each for the same time, twice over, and prints the steps
// per second of both, their ratio and the most and the least steps of one of the four. threads as
// in ReportOptions. Returns a process exit status.
int RunSharing(int threads);

}  // namespace aisivi::bench
