#include "server/bus/pace.h"

#include <algorithm>

namespace holdfast::bus {

bool Pace::take(PartitionId partition) {
  if (const auto turn = turns_.find(partition); turn != turns_.end()) {
    turns_.erase(turn);
    return true;
  }
  if (waiting_.empty() && budget_ >= 1) {
    --budget_;
    return true;
  }
  if (std::ranges::find(waiting_, partition) == waiting_.end()) waiting_.push_back(partition);
  return false;
}

std::deque<PartitionId> Pace::turns(SteadyTime now) {
  turns_.clear();
  const std::chrono::duration<double> since = std::min<SteadyTime::duration>(now - counted_until_, 4 * kInterval);
  counted_until_ = now;
  budget_ = std::min(budget_ + since.count() * per_s_,
                     std::max(1.0, 4 * per_s_ * std::chrono::duration<double>(kInterval).count()));
  std::deque<PartitionId> all;
  for (; budget_ >= 1 && !waiting_.empty(); --budget_) {
    all.push_back(waiting_.front());
    turns_.insert(waiting_.front());
    waiting_.pop_front();
  }
  return all;
}

}  // namespace holdfast::bus
