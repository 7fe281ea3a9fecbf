#include "failover/replica.h"

#include "base/check.h"

namespace holdfast::failover {

Replica::Replica(PartitionId partition, Member self, const Recovered& recovered)
    : partition_(partition),
      self_(self),
      epoch_(recovered.last_epoch),
      last_seq_(recovered.last_seq),
      last_chain_(recovered.last_chain),
      last_time_(recovered.last_time) {}

void Replica::lead(Epoch epoch, InSyncSet members) {
  HF_CHECK(epoch > epoch_, "a leader leads a new epoch (I1, F7)");
  epoch_ = epoch;
  members_.emplace(std::move(members));
  role_ = Role::candidate;
  epoch_started_ = false;
  in_flight_ = false;
  members_->durable(self_, last_seq_);  // what was recovered was read from a synced log
  if (members_->commit_point() >= last_seq_) committed_ = last_seq_;
}

std::optional<Appended> Replica::take_epoch_start(WallTime now) {
  if (role_ != Role::candidate || epoch_started_ || committed_ < last_seq_) return std::nullopt;
  epoch_started_ = true;
  log::Entry body;
  body.set_kind(log::Entry::EPOCH_START);
  return append_any(std::move(body), log_time(now));
}

Appended Replica::append(log::Entry body, WallTime time) {
  HF_CHECK(may_append(), "one entry in flight, and only a primary appends (W1)");
  return append_any(std::move(body), time);
}

Appended Replica::append_any(log::Entry body, WallTime time) {
  HF_CHECK(time >= last_time_, "log time does not go back");
  in_flight_ = true;
  last_seq_ = last_seq_.next();
  last_time_ = time;
  body.set_epoch(epoch_.value);
  body.set_seq(last_seq_.value);
  body.set_time_ms(to_ms(time));
  auto encoded = std::make_shared<EncodedEntry>(encode_entry(partition_, body, last_chain_));
  last_chain_ = encoded->chain;
  return {std::make_shared<const log::Entry>(std::move(body)), std::move(encoded)};
}

bool Replica::durable(Seq seq) {
  HF_CHECK(seq == last_seq_ && in_flight_, "only what is in flight becomes durable");
  members_->durable(self_, seq);
  if (members_->commit_point() < seq) return false;
  committed_ = seq;
  in_flight_ = false;
  if (role_ == Role::candidate && epoch_started_) role_ = Role::primary;
  return true;
}

}  // namespace holdfast::failover
