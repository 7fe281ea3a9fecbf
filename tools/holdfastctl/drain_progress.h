/// What is said while a drain is waited for: each step, and, if nothing moves, what holds it up.
///
/// Pure; asked again and again with what was seen. Says nothing twice, but what holds a drain up, every kDrainStuck.
#pragma once

#include <chrono>
#include <string>

#include "base/time.h"
#include "server/http/admin_figures.h"

namespace holdfast::ctl {

inline constexpr std::chrono::seconds kDrainStuck{30};

class DrainProgress {
 public:
  /// What to print now, with its line's end; empty: nothing.
  std::string look(const http::ClusterFigures& cluster, const http::NodeFigures& node, SteadyTime now);

 private:
  std::string last_;
  SteadyTime since_;  ///< of last_, or of what was said last about what holds it up
};

}  // namespace holdfast::ctl
