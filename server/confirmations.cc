#include "server/confirmations.h"

#include <algorithm>

namespace holdfast {
namespace {

using std::chrono::milliseconds;

std::int64_t in_ms(SteadyTime time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

// ------------------------------------------------------------------------------------------------ links

void Confirmations::link_up(const failover::Member& member, const std::string& boot) {
  Peer& peer = peers_[member.node];
  peer.member = member;
  if (std::exchange(peer.boot, boot) != boot) peer.quickest.reset();
  peer.up = true;
  ++peer.ups;
}

bool Confirmations::link_down(NodeId node) {
  const auto at = peers_.find(node);
  return at != peers_.end() && std::exchange(at->second.up, false);
}

const failover::Member* Confirmations::met(NodeId node) const {
  const auto at = peers_.find(node);
  return at == peers_.end() ? nullptr : &at->second.member;
}

bool Confirmations::reaches(NodeId node) const {
  const auto at = peers_.find(node);
  return at != peers_.end() && at->second.up;
}

// ------------------------------------------------------------------------------------------------ what others say

void Confirmations::configured(PartitionId partition, NodeId primary, Epoch epoch) {
  Partition& row = rows_[partition];
  row.primary = primary;
  row.epoch = epoch;
  believe(partition, row);
}

void Confirmations::received(NodeId from, const peer::Confirm& confirm, SteadyTime now) {
  const auto peer = peers_.find(from);
  if (peer == peers_.end()) return;
  const bool calibrates = !peer->second.quickest;  // how long this one lay somewhere nobody can tell
  const SteadyTime sent = now - delay_of(peer->second, confirm.sent_ms(), now);
  for (const auto& served : confirm.served()) {
    if (served.partition() >= partitions_) continue;
    const PartitionId id(static_cast<std::uint16_t>(served.partition()));
    Partition& row = rows_[id];
    row.said = Said{from, Epoch(served.epoch()), confirm.link(), {}};
    if (!calibrates) row.said->certain = sent - milliseconds(served.age_ms());
    believe(id, row);
  }
}

/// A process that was frozen finds confirmations of that time in its sockets. The quickest one tells how far the two clocks
/// are apart, and what another took longer it lay somewhere. One clock runs faster than the other, by a thousandth at most:
/// that much slower each may be than the quickest before.
milliseconds Confirmations::delay_of(Peer& peer, std::int64_t sent_ms, SteadyTime now) {
  const std::int64_t took = in_ms(now) - sent_ms;
  if (!peer.quickest) peer.quickest = {took, now};
  const std::int64_t usual = peer.quickest->took_ms + (in_ms(now) - in_ms(peer.quickest->at)) / 1000;
  if (took <= usual) peer.quickest = {took, now};
  return milliseconds(std::max<std::int64_t>(took - usual, 0));
}

void Confirmations::believe(PartitionId id, Partition& partition) {
  if (!partition.said) return;
  const auto& [node, epoch, link, certain] = *partition.said;
  if (partition.epoch != epoch || partition.primary != node || !reaches(node)) return;
  if (certain) ready_.certain.emplace_back(id, *certain);
  const Known now{node, epoch, link, peers_.at(node).ups};
  if (partition.known == now) return;
  partition.known = now;
  ready_.reattach.push_back({id, true});
}

// ------------------------------------------------------------------------------------------------ what we say

std::vector<std::pair<NodeId, peer::Frame>> Confirmations::say(const std::vector<Served>& served, SteadyTime now) {
  peer::Frame frame;
  peer::Confirm& out = *frame.mutable_confirm();
  out.set_sent_ms(in_ms(now));
  for (const auto& [id, epoch, certain] : served) {
    auto& one = *out.add_served();
    one.set_partition(id.value);
    one.set_epoch(epoch.value);
    const auto age = std::chrono::duration_cast<milliseconds>(now - certain);
    one.set_age_ms(static_cast<std::uint32_t>(std::clamp<std::int64_t>(age.count(), 0, 60'000)));
    const Known here{{}, epoch, 0, 0};
    std::optional<Known>& known = rows_[id].known;
    if (known && (known->epoch > epoch || known == here)) continue;
    known = here;
    ready_.reattach.push_back({id, false});
  }
  std::vector<std::pair<NodeId, peer::Frame>> frames;
  for (const auto& [node, peer] : peers_) {
    if (!peer.up) continue;
    out.set_link(peer.ups);
    frames.emplace_back(node, frame);
  }
  return frames;
}

}  // namespace holdfast
