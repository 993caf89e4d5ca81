// The example data that come with the program.
#pragma once

#include "absl/strings/string_view.h"

namespace aisivi::experiments {

// The content of deploy/data/waveform.csv: 400 rows of the WAVEFORM example of Breiman et al.
absl::string_view ExampleWaveform();

}  // namespace aisivi::experiments
