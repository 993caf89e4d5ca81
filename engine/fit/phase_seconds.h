// Where the time of training steps goes.
#pragma once

namespace aisivi {

// Seconds, summed over the steps.
struct PhaseSeconds {
  double flow = 0;    // flow steps
  double points = 0;  // drawing the points
  double target = 0;  // log p̃ and its score; of a target elsewhere what had to be waited for
  double inner = 0;   // inner samples: log q̂ and s_q
  double family = 0;  // way back and update of the family
};

}  // namespace aisivi
