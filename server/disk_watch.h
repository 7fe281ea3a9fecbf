/// Tells a disk that syncs far too slowly from one that is only busy: a node that has it should lead nothing.
///
/// Sans-IO value; owned by Cluster, its thread. Slow: for kSlowFor no sync took less than kSlowSync, and there were some,
/// or one that goes on. Well again with the first sync that is quicker. A disk that is asked for nothing is not judged.
/// Hanging: one sync goes on for kHangsAfter. Such a node can't even hand over what it leads, which waits for that sync: it
/// does no work, and others are to take over (T11).
#pragma once

#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace holdfast {

class DiskWatch {
 public:
  static constexpr std::chrono::milliseconds kSlowSync{500};
  static constexpr std::chrono::milliseconds kSlowFor{1'000};
  static constexpr std::chrono::milliseconds kHangsAfter{3'000};

  /// Of the committer: how many syncs there were, how long all of them took, and since when one goes on (zero: none does).
  struct Syncs {
    std::uint64_t count = 0;
    std::chrono::nanoseconds total{0};
    SteadyTime since{};
  };
  void look(const Syncs& syncs, SteadyTime now);
  bool slow(SteadyTime now) const { return slow_since_ != SteadyTime{} && now - slow_since_ >= kSlowFor; }
  bool hangs(SteadyTime now) const { return last_.since != SteadyTime{} && now - last_.since >= kHangsAfter; }

 private:
  Syncs last_;
  SteadyTime slow_since_{};  ///< when the first of the slow ones began; zero: the last one was quick
};

}  // namespace holdfast
