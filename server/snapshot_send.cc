#include "server/snapshot_send.h"

#include "base/check.h"

namespace holdfast {

void SnapshotSend::opening(SteadyTime now) {
  phase_ = Phase::opening;
  since_ = now;
}

void SnapshotSend::opened(Seq applied, SteadyTime now) {
  phase_ = Phase::sending;
  applied_ = applied;
  since_ = now;
}

bool SnapshotSend::wants_piece() const {
  return phase_ == Phase::sending && !reading_ && next_ < stored_ + kUnderWayMax;
}

std::uint32_t SnapshotSend::read(bool last, SteadyTime now) {
  HF_CHECK(reading_, "a piece was asked for");
  reading_ = false;
  since_ = now;
  if (last) phase_ = Phase::sent;
  return next_++;
}

bool SnapshotSend::stored(std::uint32_t next, SteadyTime now) {
  if (!is_active() || next > next_ || next <= stored_) return false;
  stored_ = next;
  since_ = now;
  if (phase_ != Phase::sent || stored_ < next_) return false;
  phase_ = Phase::taken;
  return true;
}

void SnapshotSend::fail(SteadyTime now) {
  phase_ = Phase::failed;
  since_ = now;
}

bool SnapshotSend::holds_log(SteadyTime now) const {
  return is_active() || phase_ == Phase::failed || (phase_ == Phase::taken && now < since_ + kHeld);
}

bool SnapshotSend::is_over(SteadyTime now) const {
  if (phase_ == Phase::taken) return now >= since_ + kHeld;
  return phase_ == Phase::failed && now >= since_ + kPause;
}

}  // namespace holdfast
