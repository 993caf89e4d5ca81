// A fit as it changes, and the form of it that a list shows.
#pragma once

#include <memory>
#include <utility>

#include "aisivi/v1/fit.pb.h"

namespace aisivi::server {

// Not thread-safe.
class LiveFit {
 public:
  using Snapshot = std::shared_ptr<const v1::Fit>;

  // Without the arrays of its target.
  LiveFit() = default;
  explicit LiveFit(v1::Fit fit) : fit_(std::move(fit)) {}

  const v1::Fit& operator*() const { return fit_; }
  const v1::Fit* operator->() const { return &fit_; }
  // For a change at once; the pointer is not to be kept.
  v1::Fit* Change() {
    listed_.reset();
    return &fit_;
  }

  // The fit without what a list leaves out: coordinate_names, variables, log and the verdict's
  // criteria, which are never copied for it. Unchanging; made when first asked for after a change.
  Snapshot Listed();

 private:
  v1::Fit fit_;
  Snapshot listed_;
};

}  // namespace aisivi::server
