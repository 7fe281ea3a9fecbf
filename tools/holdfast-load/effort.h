/// How much of its processor this process uses, so that a load that was limited by its own maker is told apart.
#pragma once

#include "base/time.h"
#include "tools/holdfast-load/tally.h"

namespace holdfast::load {

/// Value; asked now and then while something is measured.
class Effort {
 public:
  /// From now on.
  void start();
  /// Since the last time: raises "cpu_permille", the greatest share of one core over a second or so, and counts
  /// "cpu_us".
  void look(Tally& tally);

 private:
  static double processor_seconds();

  SteadyTime at_;
  double used_ = 0;
};

}  // namespace holdfast::load
