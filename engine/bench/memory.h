// Whether memory depends on the number of inner samples.
#pragma once

namespace aisivi::bench {

// Trains every published setting whose method does not keep its inner samples, as SIVI and KPG-IS
// do, with few points, at k = 256 and at k = 65,536, each in a process of its own that reads its
// own peak, and prints both peaks in MiB and their ratio. threads as in ReportOptions. Returns a
// process exit status: 0 when every ratio is at most 1.05.
int RunMemory(int threads);

}  // namespace aisivi::bench
