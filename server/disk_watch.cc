#include "server/disk_watch.h"

namespace holdfast {

void DiskWatch::look(const Syncs& syncs, SteadyTime now) {
  if (syncs.count > last_.count) {
    const auto new_ones = static_cast<std::int64_t>(syncs.count - last_.count);
    const std::chrono::nanoseconds each = (syncs.total - last_.total) / new_ones;
    if (each < kSlowSync)
      slow_since_ = {};
    else if (slow_since_ == SteadyTime{})
      slow_since_ = now - std::chrono::duration_cast<SteadyTime::duration>(each);
  }
  if (syncs.since != SteadyTime{} && now - syncs.since >= kSlowSync && slow_since_ == SteadyTime{})
    slow_since_ = syncs.since;
  last_ = syncs;
}

}  // namespace holdfast
