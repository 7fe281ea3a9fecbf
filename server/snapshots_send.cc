/// Snapshots: as the primary.
#include <spdlog/spdlog.h>

#include "base/check.h"
#include "server/snapshots.h"
#include "storage/snapshot_parts.h"

namespace holdfast {
namespace {

std::int64_t ms_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
}

}  // namespace

void Snapshots::wanted(PartitionId partition, NodeId to) {
  const auto link = links_.find(to);
  if (link == links_.end()) return;  // the replica hears of it, and asks again
  const Epoch epoch = host_.copy(partition).replica().epoch();
  sends_.erase({partition, to});
  sends_.emplace(Key{partition, to}, Sending{SnapshotSend(next_id_++, link->second, epoch), {}});
  start_queued();
}

/// It still goes to the same store, over the same link, in the same epoch.
bool Snapshots::stands(const Key& key, const Sending& sending) {
  const failover::Replica& replica = host_.copy(key.first).replica();
  const auto link = links_.find(key.second);
  return replica.leads() && replica.epoch() == sending.send.epoch() && link != links_.end() &&
         link->second == sending.send.to();
}

Snapshots::Sending* Snapshots::find(const Key& key, std::uint64_t id) {
  const auto at = sends_.find(key);
  if (at == sends_.end() || at->second.send.id() != id || !at->second.send.is_active()) return nullptr;
  return stands(key, at->second) ? &at->second : nullptr;
}

void Snapshots::start_queued() {
  std::size_t active = 0;
  for (const auto& [key, sending] : sends_) active += sending.send.is_active() ? 1 : 0;
  for (auto& [key, sending] : sends_) {
    if (active >= kActiveMax) return;
    if (sending.send.phase() != SnapshotSend::Phase::queued) continue;
    ++active;
    open(key, sending);
  }
}

void Snapshots::open(const Key& key, Sending& sending) {
  sending.began = host_.now();
  sending.send.opening(sending.began);
  hold_log(key.first);
  host_.blocking([this, key, id = sending.send.id(), subscribers = host_.copy(key.first).subscribers()] {
    auto source = SnapshotSource::open(*host_.state, *host_.log, key.first, subscribers);
    host_.call([this, key, id, source = std::move(source)] { opened(key, id, source); });
  });
}

void Snapshots::opened(Key key, std::uint64_t id, Result<std::shared_ptr<SnapshotSource>> source) {
  Sending* sending = find(key, id);
  if (!sending) return;
  if (!source) return fail(key, *sending, source.error().message);
  sending->source = std::move(*source);
  sending->send.opened(sending->source->head().applied, host_.now());
  hold_log(key.first);
  pump(key);
}

/// Reads the next piece, if it may go.
void Snapshots::pump(const Key& key) {
  const auto at = sends_.find(key);
  if (at == sends_.end() || !at->second.send.wants_piece() || !host_.rate->may_send(host_.now())) return;
  Sending& sending = at->second;
  sending.send.reading();
  host_.blocking([this, key, id = sending.send.id(), source = sending.source] {
    auto piece = source->next(host_.piece_bytes);
    host_.call([this, key, id, piece = std::move(piece)]() mutable { piece_read(key, id, std::move(piece)); });
  });
}

void Snapshots::piece_read(Key key, std::uint64_t id, Result<SnapshotPiece> piece) {
  Sending* sending = find(key, id);
  if (!sending) return;
  if (!piece) return fail(key, *sending, piece.error().message);
  const SteadyTime now = host_.now();
  const std::size_t bytes = piece->bytes();
  host_.rate->sent(bytes, now);
  sending->bytes += bytes;
  const bool last = piece->last;
  peer::Frame frame;
  peer::Replication& out = *frame.mutable_replication();
  out.set_partition(key.first.value);
  out.set_epoch(sending->send.epoch().value);
  out.set_to_store(sending->send.to().store.str());
  *out.mutable_snapshot_part() =
      peers::snapshot_part(id, sending->send.read(last, now), sending->source->head(), std::move(*piece));
  if (last) sending->source.reset();
  host_.send(key.second, frame);
  pump(key);
}

void Snapshots::on_taken(const failover::Member& from, PartitionId partition, const peer::SnapshotTaken& taken) {
  const Key key{partition, from.node};
  Sending* sending = find(key, taken.id());
  if (!sending || sending->send.to() != from) return;
  if (taken.refused()) return fail(key, *sending, "the other node does not take it");
  if (!sending->send.stored(taken.next_number(), host_.now())) return pump(key);
  spdlog::info("snapshot_sent partition={} to={} applied={} bytes={} took_ms={}", partition.value, key.second.value,
               sending->send.applied().value, sending->bytes, ms_between(sending->began, host_.now()));
  host_.copy(partition).replica().snapshot_taken(key.second, sending->send.applied());
  hold_log(partition);
  start_queued();
}

void Snapshots::fail(const Key& key, Sending& sending, const std::string& why) {
  spdlog::warn("snapshot_not_sent partition={} to={} why='{}'", key.first.value, key.second.value, why);
  sending.source.reset();
  sending.send.fail(host_.now());
  hold_log(key.first);
  start_queued();
}

/// What is over, and what does not stand any more. The replica may want it again, but for what it knows already.
void Snapshots::forget_ended() {
  const SteadyTime now = host_.now();
  std::vector<PartitionId> changed;
  for (auto at = sends_.begin(); at != sends_.end();) {
    auto& [key, sending] = *at;
    const bool standing = stands(key, sending);
    if (standing && sending.send.is_stuck(now)) {
      spdlog::warn("snapshot_not_sent partition={} to={} why='no answer'", key.first.value, key.second.value);
      sending.source.reset();
      sending.send.fail(now);
    }
    if (standing && !sending.send.is_over(now)) {
      ++at;
      continue;
    }
    if (standing && sending.send.phase() == SnapshotSend::Phase::failed) ask_again(key, sending.send);
    changed.push_back(key.first);
    at = sends_.erase(at);
  }
  for (const PartitionId partition : changed) hold_log(partition);
}

/// The other node may have it all the same, and we do not know: it is asked by entries first.
void Snapshots::ask_again(const Key& key, const SnapshotSend& send) {
  failover::Replica& replica = host_.copy(key.first).replica();
  send.applied() > Seq{} ? replica.snapshot_taken(key.second, send.applied()) : replica.snapshot_failed(key.second);
}

void Snapshots::hold_log(PartitionId partition) {
  std::optional<Seq> at;
  if (receives_.contains(partition)) at = Seq{};  // nobody trims what is in pieces
  for (auto one = sends_.lower_bound({partition, NodeId{}}); one != sends_.end() && one->first.first == partition;
       ++one)
    if (one->second.send.holds_log(host_.now()))
      at = std::min(at.value_or(one->second.send.applied()), one->second.send.applied());
  host_.copy(partition).hold_log(at);
}

}  // namespace holdfast
