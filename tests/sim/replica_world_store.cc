/// ReplicaWorld: the configuration store, who is promoted, copies of logs, and how everything heals.
#include <algorithm>

#include "tests/sim/replica_world.h"

namespace holdfast::failover {
namespace {

constexpr PartitionId kPartition(1);
constexpr int kHealRounds = 1500;
constexpr std::chrono::milliseconds kHealTick(20);

void set(log::PartitionConfig::Store& store, const Member& member) {
  store.set_node(member.node.value);
  store.set_store_id(member.store.str());
}

}  // namespace

Faults draw_faults(std::uint64_t seed) {
  std::uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  const auto draw = [&](std::uint64_t bound) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % bound;
  };
  for (int i = 0; i < 8; ++i) draw(2);
  const auto maybe = [&](unsigned least, unsigned most) {
    return draw(2) ? least + static_cast<unsigned>(draw(most - least + 1)) : 0u;
  };
  Faults faults;
  faults.nodes = 3 + static_cast<unsigned>(draw(3));
  faults.min_in_sync = faults.nodes == 5 && draw(3) == 0 ? 3 : 2;
  faults.loss = maybe(1, 20);
  faults.duplication = maybe(1, 30);
  faults.reordering = maybe(5, 60);
  faults.cut = maybe(3, 20);
  faults.crash = maybe(1, draw(2) ? 4 : 15);
  faults.store_loss = maybe(1, 6);
  faults.promote = maybe(1, draw(2) ? 4 : 20);
  faults.hand_off = maybe(2, 15);
  faults.placement = maybe(2, 15);
  faults.gone = maybe(3, 20);
  faults.lease = maybe(2, 10);
  faults.unknown = maybe(5, 50);
  faults.lost_cas = maybe(5, 30);
  faults.no_log = maybe(5, 40);
  faults.disk = draw(3) ? 140 : 40;
  faults.outcome = draw(3) ? 60 : 10;
  faults.config = draw(3) ? 60 : 15;
  faults.append_bytes_max = draw(2) ? 1 : 1u << 20;
  faults.kept_bytes = draw(2) ? draw(400) : 256u << 10;
  return faults;
}

// ------------------------------------------------------------------------------------------------ the store

/// `force`: the row as it stands is written again, so that its revision moves (2.6).
bool ReplicaWorld::put(const Change& change, bool force) {
  const PartitionRow& now = rows_.back();
  const bool compares = options_.mutant != Mutant::unconditional_cas;
  if (compares && now.revision != change.wanted.compared_revision) return false;
  for (const NodeId must : change.wanted.must_be_live) {
    if (force) break;
    const auto members = in_sync_of(change.wanted.wanted);
    const Node& one = node(must);
    if (!one.registered || std::ranges::find(members, Member{must, one.registered_store}) == members.end())
      return false;
  }
  PartitionRow row{force ? now.config : change.wanted.wanted, now.revision + 1};
  if (row.config.epoch() > now.config.epoch()) ++counts_.promotions;
  ++counts_.changes;
  rows_.push_back(std::move(row));
  return !force;
}

void ReplicaWorld::carry_out(std::size_t which) {
  Change& change = changes_[which];
  if (!healing_ && !change.was_unknown && chance(faults_.unknown)) {
    change.was_unknown = true;
    settled_.push_back({change.by, change.boot, change.wanted.compared_revision, Outcome::unknown});
    return;
  }
  const Change done = std::move(change);
  changes_.erase(changes_.begin() + static_cast<std::ptrdiff_t>(which));
  const bool dead = done.by.value == 0 || !life(done.by, done.boot);
  if (dead && chance(faults_.lost_cas)) return;  // it was lost with who asked
  const bool lost = done.was_unknown && chance(faults_.lost_cas);
  const bool applied = !lost && put(done, false);
  if (!applied && done.was_unknown && !dead) put(done, true);
  if (!applied) ++counts_.refused;
  settled_.push_back(
      {done.by, done.boot, done.wanted.compared_revision, applied ? Outcome::applied : Outcome::refused});
}

void ReplicaWorld::tell_outcome(std::size_t which, bool with_row) {
  const Settled settled = settled_[which];
  settled_.erase(settled_.begin() + static_cast<std::ptrdiff_t>(which));
  Node* one = life(settled.by, settled.boot);
  if (!one) return;
  if (with_row && settled.outcome != Outcome::unknown) one->replica->configured(rows_.back());
  one->replica->reconfigured(settled.compared, settled.outcome);
  pump(*one);
}

void ReplicaWorld::read_config(Node& node, bool lagging) {
  if (!node.replica) return;
  const std::size_t back = lagging ? below(std::min<std::size_t>(rows_.size(), 3)) : 0;
  node.replica->configured(rows_[rows_.size() - 1 - back]);
  pump(node);
}

/// Anybody in the set with a live registration of that store, at any moment (F3, F4).
void ReplicaWorld::promote() {
  const PartitionRow& row = rows_.back();
  const auto members = in_sync_of(row.config);
  const Member chosen = members[below(members.size())];
  const Node& one = node(chosen.node);
  if (!one.registered || one.registered_store != chosen.store) return;
  std::vector<Member> keep;
  for (const Member& member : members) {
    const auto left = static_cast<std::size_t>(&members.back() - &member) + 1;
    const bool may_go = member != chosen && keep.size() + left > row.config.min_isr();
    if (!may_go || chance(50)) keep.push_back(member);
  }
  Change change{NodeId(0), 0, {kPartition, row.revision, row.config, {chosen.node}}};
  change.wanted.wanted.set_epoch(row.config.epoch() + 1);
  set(*change.wanted.wanted.mutable_primary(), chosen);
  change.wanted.wanted.clear_in_sync();
  for (const Member& member : keep.size() >= row.config.min_isr() ? keep : members)
    set(*change.wanted.wanted.add_in_sync(), member);
  if (healing_ || chance(70))
    put(change, false);
  else
    changes_.push_back(std::move(change));
}

void ReplicaWorld::hand_off(Node& node) {
  if (!node.replica) return;
  node.replica->hand_off(node.replica->epoch(), any_node().self.node);
  pump(node);
}

void ReplicaWorld::change_placement() {
  PartitionRow row = rows_.back();
  const int wanted = static_cast<int>(std::max<std::uint32_t>(row.config.min_isr(), 3));
  std::set<std::uint32_t> replicas;
  while (static_cast<int>(replicas.size()) < wanted) replicas.insert(any_node().self.node.value);
  row.config.clear_replicas();
  for (const std::uint32_t one : replicas) row.config.add_replicas(one);
  ++row.revision;
  rows_.push_back(std::move(row));
}

// ------------------------------------------------------------------------------------------------ copies

/// Read when it is asked for, given later: the log may be another by then.
void ReplicaWorld::read_log(Node& node, const Replica::LogWanted& wanted) {
  Page page{node.boot, node.self.node, {wanted.node, Seq(wanted.from.value - 1), Epoch(0), Hash32{}, {}}};
  const LogStore log(*node.db);
  const auto last = *log.last(kPartition);
  const bool there = last && wanted.from.value <= last->entry.seq();
  if (there && (healing_ || !chance(faults_.no_log))) {
    if (wanted.from > Seq(1)) page.page.previous_chain = *log.chain_at(kPartition, page.page.previous);
    std::size_t most = 1 + below(6);
    const std::vector<StoredEntry> entries_read = *log.read(kPartition, wanted.from, 2000);
    for (const StoredEntry& entry : entries_read) {
      if (most-- == 0) break;
      page.page.entries.push_back(entry.entry.SerializeAsString());
    }
  }
  pages_.push_back(std::move(page));
}

void ReplicaWorld::give_page(std::size_t which) {
  const Page page = std::move(pages_[which]);
  pages_.erase(pages_.begin() + static_cast<std::ptrdiff_t>(which));
  Node* one = life(page.of, page.boot);
  if (!one) return;
  one->replica->log_read(page.page);
  pump(*one);
}

void ReplicaWorld::give_snapshot(std::size_t which) {
  const Snapshot snapshot = snapshots_[which];
  snapshots_.erase(snapshots_.begin() + static_cast<std::ptrdiff_t>(which));
  Node* from = life(snapshot.from, snapshot.boot);
  if (!from || !from->replica->leads()) return;
  Node& to = node(snapshot.to);
  const Seq seq = from->handed;
  const Link& link = links_[{from->self.node.value, to.self.node.value}];
  const bool possible = to.replica && link.up && link.boot == to.boot && !to.replica->leads() && seq > to.handed;
  if (possible) {
    ++counts_.snapshots;
    if (!holds(*to.db, seq, ghost_[seq.value - 1])) install(*from, to, seq);
    from->replica->snapshot_taken(snapshot.to, seq);
    pump(to);
  } else {
    from->replica->snapshot_failed(snapshot.to);
  }
  pump(*from);
}

/// The state up to `seq`, and in place of the log that of `from`.
void ReplicaWorld::install(Node& from, Node& to, Seq seq) {
  const LogStore source(*from.db), target(*to.db);
  log::PartitionMeta meta = *target.meta(kPartition);
  meta.clear_epoch_starts();
  Batch batch;
  const std::string begin = LogStore::entry_key(kPartition, Seq(0));
  const std::string end = LogStore::entry_key(kPartition, Seq(~0ull));
  batch.remove_range(begin, end);
  std::deque<EncodedEntry> entries;
  Hash32 chain{};
  const std::vector<StoredEntry> entries_read = *source.read(kPartition, Seq(1), 1u << 30);
  for (const StoredEntry& stored : entries_read) {
    if (stored.entry.seq() > seq.value) break;
    if (meta.epoch_starts().empty() || meta.epoch_starts().rbegin()->epoch() < stored.entry.epoch()) {
      meta.add_epoch_starts()->set_epoch(stored.entry.epoch());
      meta.mutable_epoch_starts()->rbegin()->set_first_seq(stored.entry.seq());
    }
    entries.push_back(encode_entry(kPartition, stored.entry, chain));
    chain = entries.back().chain;
    batch.put(entries.back().key, entries.back().value);
  }
  const std::string key = LogStore::promise_key(kPartition);
  const std::string value = meta.SerializeAsString();
  batch.put(key, value);
  if (!to.db->write(batch, Durability::synced)) return fail("an installation failed");
  if (!to.written.empty()) to.synced = to.written.back();
  to.written.clear();
  to.applied = to.handed = seq;
  to.replica->installed(recover(to));
}

// ------------------------------------------------------------------------------------------------ all is well again

void ReplicaWorld::heal_round(int round) {
  for (auto& [ends, link] : links_) link.cut = false;
  for (Node& node : nodes_) {
    if (!node.replica) restart(node);
    node.registered = true;
    node.registered_store = node.self.store;
    for (Node& other : nodes_) {
      if (round == 0) node.replica->gone(other.self.node, false);
      update_link(node, other);
    }
    read_config(node, false);
    sync(node, true);
    tell_synced(node);
  }
  while (!changes_.empty()) carry_out(0);
  while (!settled_.empty()) tell_outcome(0, true);
  while (!pages_.empty()) give_page(0);
  while (!snapshots_.empty()) give_snapshot(0);
  for (auto& [ends, link] : links_)
    for (std::size_t n = link.parcels.size(); n > 0 && wrong_.empty(); --n)
      deliver(NodeId(ends.first), NodeId(ends.second), false);
  tick(kHealTick);
  const Member primary = member_of(rows_.back().config.primary());
  const Replica* leader = node(primary.node).replica.get();
  const bool led = node(primary.node).self == primary && leader && leader->leads() &&
                   leader->epoch().value == rows_.back().config.epoch();
  leaderless_ = led ? 0 : leaderless_ + 1;
  if (leaderless_ > 5) promote();
}

/// A primary leads, everybody wanted is in the set, and everybody in it has the same and knows that it is committed.
bool ReplicaWorld::in_order() const {
  const PartitionRow& row = rows_.back();
  const Member primary = member_of(row.config.primary());
  const Node& leader = nodes_[primary.node.value - 1];
  if (leader.self != primary || leader.replica->role() != Role::primary || !leader.replica->may_append()) return false;
  const auto members = in_sync_of(row.config);
  for (const std::uint32_t wanted : row.config.replicas())
    if (std::ranges::find(members, nodes_[wanted - 1].self) == members.end()) return false;
  return std::ranges::all_of(members, [&](const Member& member) {
    const Node& one = nodes_[member.node.value - 1];
    return one.self == member && one.replica->last_chain() == leader.replica->last_chain() &&
           one.replica->committed() == leader.replica->last_seq();
  });
}

void ReplicaWorld::heal() {
  healing_ = true;
  for (int round = 0; round < kHealRounds && wrong_.empty(); ++round) {
    heal_round(round);
    check();
    if (!in_order()) continue;
    const std::size_t before = ghost_.size();
    append(node(member_of(rows_.back().config.primary()).node));
    for (int more = 0; more < 50 && wrong_.empty(); ++more) {
      heal_round(round + 1 + more);
      check();
      if (ghost_.size() > before && in_order()) return;
    }
  }
  if (!wrong_.empty()) return;
  std::string found = "not in order after healing: " + rows_.back().config.ShortDebugString();
  for (const Node& node : nodes_) {
    found += "\n  node " + std::to_string(node.self.node.value) + " " + name_of(node.replica->role()) + " epoch " +
             std::to_string(node.replica->epoch().value) + " promised " +
             std::to_string(node.replica->promised().value) + " last " +
             std::to_string(node.replica->last_seq().value) + " committed " +
             std::to_string(node.replica->committed().value);
    for (const Replica::Copy& copy : node.replica->copies())
      found += " [" + std::to_string(copy.node.value) + " matched " + std::to_string(copy.matched.value) +
               (copy.in_sync ? " in sync" : "") + (copy.connected ? "]" : " unconnected]");
  }
  fail(found);
}

}  // namespace holdfast::failover
