#include "server/jobs/training_record.h"

namespace aisivi::server {

void TrainingRecord::Add(const v1::FitProgress& report) {
  if (seen_++ % stride_ != 0) return;
  reports_.push_back(report);
  if (reports_.size() < kMax) return;
  for (size_t i = 0; 2 * i < reports_.size(); ++i) reports_[i] = reports_[2 * i];
  reports_.resize((reports_.size() + 1) / 2);
  stride_ *= 2;
}

}  // namespace aisivi::server
