#include "server/snapshots.h"

namespace holdfast {

bool Snapshots::received(const failover::Member& from, peer::Replication& message) {
  const PartitionId partition(static_cast<std::uint16_t>(message.partition()));
  if (message.has_append()) {
    // What is here is about to be replaced; who leads asks again. A later epoch ends what is under way.
    const auto at = receives_.find(partition);
    if (at == receives_.end()) return false;
    if (Epoch(message.epoch()) > at->second.receive.epoch()) end(partition, at->second, "a later epoch has begun");
    return true;
  }
  if (!message.has_snapshot_part() && !message.has_snapshot_taken()) return false;
  if (message.to_store() != host_.copy(partition).replica().self().store.bytes()) return true;  // I12
  if (message.has_snapshot_part())
    on_part(from, Epoch(message.epoch()), partition, std::move(*message.mutable_snapshot_part()));
  else
    on_taken(from, partition, message.snapshot_taken());
  return true;
}

void Snapshots::link(const failover::Member& peer, bool up) {
  if (up)
    links_[peer.node] = peer;
  else
    links_.erase(peer.node);
  // What was under way on the link before is lost.
  std::vector<PartitionId> over;
  for (auto at = sends_.begin(); at != sends_.end();) {
    const bool lost = at->first.second == peer.node;
    if (lost) over.push_back(at->first.first);
    at = lost ? sends_.erase(at) : std::next(at);
  }
  for (const PartitionId partition : over) hold_log(partition);
  if (!up)
    for (auto at = receives_.begin(); at != receives_.end();) {
      auto& [partition, receiving] = *at++;  // end() may erase it
      if (receiving.receive.from() == peer) end(partition, receiving, "the link is lost");
    }
  start_queued();
}

void Snapshots::tick() {
  forget_ended();
  start_queued();
  std::vector<Key> keys;
  for (const auto& [key, sending] : sends_) keys.push_back(key);
  for (const Key& key : keys) pump(key);

  std::vector<PartitionId> partitions;
  for (const auto& [partition, receiving] : receives_) partitions.push_back(partition);
  for (const PartitionId partition : partitions) {
    Receiving& receiving = receives_.at(partition);
    if (receiving.receive.is_stuck(host_.now()))
      end(partition, receiving, "nothing comes any more");
    else
      work(partition);
  }
}

}  // namespace holdfast
