#include "server/snapshot_receive.h"

#include <utility>

namespace holdfast {

bool SnapshotReceive::add(peer::SnapshotPart part, SteadyTime now) {
  if (part.number() != next_ || complete_ || waiting_.size() >= kWaitingMax) return false;
  ++next_;
  complete_ = part.last();
  since_ = now;
  waiting_.push_back(std::move(part));
  return true;
}

SnapshotReceive::Job SnapshotReceive::next_job(bool drained) const {
  if (working_) return Job::none;
  if (ending_) return touched_ ? Job::discard : Job::forget;
  return drained && !waiting_.empty() ? Job::store : Job::none;
}

std::vector<peer::SnapshotPart> SnapshotReceive::take_parts() {
  touched_ = working_ = true;
  return std::exchange(waiting_, {});
}

void SnapshotReceive::finished(SteadyTime now) {
  working_ = false;
  stored_ = next_ - static_cast<std::uint32_t>(waiting_.size());
  since_ = now;
}

}  // namespace holdfast
