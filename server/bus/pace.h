/// How fast a worker begins what is due: not faster than so many a second, over all its partitions.
///
/// Much may be due at once: an outage leaves thousands of mails. Begun as fast as the machine can, it would make everybody
/// in chat wait. Partitions that are refused wait in a row and get their turns one after the other, so that none has to
/// wait until another one has nothing left.
///
/// Sans-IO; owned by Worker, on its thread. Bound: each partition waits once.
#pragma once

#include <deque>
#include <set>

#include "base/ids.h"
#include "base/time.h"

namespace holdfast::bus {

class Pace {
 public:
  explicit Pace(double per_s) : per_s_(per_s) {}

  /// One thing may be begun. False: not now; the partition waits for its turn.
  bool take(PartitionId partition);
  /// Whose turn it is now, each for one thing; what it does not take is lost.
  std::deque<PartitionId> turns(SteadyTime now);
  bool anybody_waits() const { return !waiting_.empty(); }

  /// So often turns() is to be asked while somebody waits: a few things at a time, that nobody notices.
  static constexpr std::chrono::milliseconds kInterval{5};

 private:
  const double per_s_;
  SteadyTime counted_until_{};
  double budget_ = 1;
  std::deque<PartitionId> waiting_;
  std::multiset<PartitionId> turns_;
};

}  // namespace holdfast::bus
