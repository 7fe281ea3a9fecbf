/// Snapshots: as a learner.
#include <spdlog/spdlog.h>

#include "base/check.h"
#include "proto/state.pb.h"
#include "server/damage.h"
#include "server/snapshots.h"
#include "storage/keys.h"
#include "storage/snapshot_parts.h"

namespace holdfast {
namespace {

/// Where subscribers stood when the state was taken.
Result<std::vector<Seq>> cursors_in(const Database& state, PartitionId partition,
                                    const std::vector<std::string>& subscribers) {
  std::vector<Seq> cursors;
  for (const std::string& name : subscribers) {
    const auto row = state.get(keys::stored(partition, keys::cursor(name)));
    if (!row) return row.error();
    state::Cursor cursor;
    if (*row && !cursor.ParseFromString(**row))
      return Error{Errc::corrupt,
                   "the cursor of " + name + " in partition " + std::to_string(partition.value) + " can't be read"};
    cursors.push_back(Seq(cursor.seq()));
  }
  return cursors;
}

Status take(SnapshotTarget& target, std::vector<peer::SnapshotPart> parts) {
  for (peer::SnapshotPart& part : parts) {
    const auto piece = peers::snapshot_piece(std::move(part));
    if (!piece) return Error{Errc::corrupt, "a part can't be read"};
    if (const Status taken = target.take(*piece); !taken) return taken;
  }
  return target.complete() ? target.finish() : Status(Ok{});
}

}  // namespace

void Snapshots::answer(const failover::Member& to, Epoch epoch, PartitionId partition, peer::SnapshotTaken taken) {
  peer::Frame frame;
  peer::Replication& out = *frame.mutable_replication();
  out.set_partition(partition.value);
  out.set_epoch(epoch.value);
  out.set_to_store(to.store.str());
  *out.mutable_snapshot_taken() = std::move(taken);
  host_.send(to.node, frame);
}

void Snapshots::on_part(const failover::Member& from, Epoch epoch, PartitionId partition, peer::SnapshotPart part) {
  const SteadyTime now = host_.now();
  const std::uint64_t id = part.id();
  auto at = receives_.find(partition);
  if (at == receives_.end()) {
    auto head = peers::snapshot_head(part);
    if (!head || !host_.copy(partition).replica().begin_install(epoch, head->applied, head->chain)) {
      peer::SnapshotTaken refused;
      refused.set_id(id);
      refused.set_refused(true);
      return answer(from, epoch, partition, std::move(refused));
    }
    at =
        receives_.emplace(partition, Receiving{SnapshotReceive(from, epoch, id, now), std::move(*head), {}, now}).first;
    hold_log(partition);
  }
  Receiving& receiving = at->second;
  if (!receiving.receive.is(from, epoch, id)) {
    peer::SnapshotTaken refused;
    refused.set_id(id);
    refused.set_refused(true);
    answer(from, epoch, partition, std::move(refused));
    if (epoch >= receiving.receive.epoch()) end(partition, receiving, "another one comes");
    return;
  }
  if (receiving.receive.is_ending()) return;
  receiving.bytes += part.ByteSizeLong();
  if (!receiving.receive.add(std::move(part), now)) return end(partition, receiving, "a part is missing");
  work(partition);
}

void Snapshots::work(PartitionId partition) {
  const auto at = receives_.find(partition);
  if (at == receives_.end()) return;
  switch (at->second.receive.next_job(host_.copy(partition).is_drained())) {
    case SnapshotReceive::Job::none: return;
    case SnapshotReceive::Job::store: return store(partition, at->second);
    case SnapshotReceive::Job::discard: return discard(partition, at->second);
    case SnapshotReceive::Job::forget: return forget(partition);
  }
}

void Snapshots::store(PartitionId partition, Receiving& receiving) {
  const bool first = !receiving.target;
  Copy& copy = host_.copy(partition);
  if (first)
    receiving.target = std::make_shared<SnapshotTarget>(*host_.log, *host_.state, partition, receiving.head,
                                                        copy.replica().promised());
  auto parts = std::make_shared<Parts>(receiving.receive.take_parts());
  host_.blocking([this, partition, id = receiving.receive.id(), first, target = receiving.target, parts,
                  subscribers = copy.subscribers()] {
    Status done = Ok{};
    if (first) done = host_.lower_floor(partition, Seq{});
    if (first && done) done = target->begin();
    if (done) done = take(*target, std::move(*parts));
    std::vector<Seq> cursors;
    if (done && target->complete()) {
      auto found = cursors_in(*host_.state, partition, subscribers);
      if (found) cursors = std::move(*found);
      if (!found) end_for_damage(found.error(), true);  // what was just written here
    }
    host_.call([this, partition, id, done, cursors] { stored(partition, id, done, cursors); });
  });
}

void Snapshots::stored(PartitionId partition, std::uint64_t id, Status done, std::vector<Seq> cursors) {
  const auto at = receives_.find(partition);
  HF_CHECK(at != receives_.end() && at->second.receive.id() == id, "what is stored stays until that is done");
  Receiving& receiving = at->second;
  if (!done && done.error().code != Errc::corrupt) return;  // the process has ended, or is killed in a test
  receiving.receive.finished(host_.now());
  if (!done) return end(partition, receiving, done.error().message);
  // Once it is whole it counts, whatever came in between.
  if (receiving.target->complete()) return install(partition, receiving, cursors);
  if (!receiving.receive.is_ending()) {
    peer::SnapshotTaken taken;
    taken.set_id(id);
    taken.set_next_number(receiving.receive.stored());
    answer(receiving.receive.from(), receiving.receive.epoch(), partition, std::move(taken));
  }
  work(partition);
}

void Snapshots::install(PartitionId partition, Receiving& receiving, const std::vector<Seq>& cursors) {
  const log::Entry& last = receiving.target->last_entry();
  const SnapshotHead& head = receiving.head;
  failover::Recovered recovered{.last_seq = head.applied,
                                .last_epoch = Epoch(last.epoch()),
                                .last_chain = head.chain,
                                .last_time = from_ms(last.time_ms())};
  for (const auto& start : head.log.epoch_starts())
    recovered.epoch_starts.push_back({Epoch(start.epoch()), Seq(start.first_seq())});
  host_.replaced(partition, head.applied);
  Copy& copy = host_.copy(partition);
  if (copy.replica().role() == failover::Role::backup) copy.installed(recovered, cursors);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(host_.now() - receiving.began);
  spdlog::info("snapshot_installed partition={} from={} applied={} bytes={} took_ms={}", partition.value,
               receiving.receive.from().node.value, head.applied.value, receiving.bytes, took.count());
  peer::SnapshotTaken taken;
  taken.set_id(receiving.receive.id());
  taken.set_next_number(receiving.receive.stored());
  answer(receiving.receive.from(), receiving.receive.epoch(), partition, std::move(taken));
  forget(partition);
}

void Snapshots::forget(PartitionId partition) {
  receives_.erase(partition);
  hold_log(partition);
}

/// What is here is in pieces: it goes, and the copy begins anew, empty.
void Snapshots::discard(PartitionId partition, Receiving& receiving) {
  receiving.receive.discarding();
  host_.blocking([this, partition] {
    const Status done = discard_copy(*host_.log, *host_.state, partition);
    host_.call([this, partition, done] {
      if (!done) return;  // as in stored()
      host_.replaced(partition, Seq{});
      Copy& copy = host_.copy(partition);
      if (copy.replica().role() == failover::Role::backup)
        copy.installed({}, std::vector<Seq>(copy.subscribers().size()));
      forget(partition);
    });
  });
}

void Snapshots::end(PartitionId partition, Receiving& receiving, const std::string& why) {
  if (receiving.receive.is_ending()) return;
  spdlog::warn("snapshot_not_installed partition={} from={} why='{}'", partition.value,
               receiving.receive.from().node.value, why);
  peer::SnapshotTaken refused;
  refused.set_id(receiving.receive.id());
  refused.set_refused(true);
  answer(receiving.receive.from(), receiving.receive.epoch(), partition, std::move(refused));
  receiving.receive.end();
  work(partition);
}

}  // namespace holdfast
