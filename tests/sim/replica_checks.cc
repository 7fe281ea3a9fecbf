/// ReplicaWorld: the invariants, as code that runs after every step.
#include <algorithm>

#include "tests/sim/replica_world.h"

namespace holdfast::failover {
namespace {

constexpr PartitionId kPartition(1);

std::string name(const Member& member) { return "node " + std::to_string(member.node.value); }

}  // namespace

void ReplicaWorld::fail(const std::string& what) {
  if (wrong_.empty()) wrong_ = what;
}

bool ReplicaWorld::holds(const MemoryDatabase& db, Seq seq, const Hash32& chain) {
  const auto row = db.get_durable(LogStore::entry_key(kPartition, seq));
  return row && *row && std::string_view(**row).substr(0, chain.size()) == as_bytes(chain);
}

void ReplicaWorld::check() {
  for (Node& node : nodes_)
    if (node.replica) check_roles(node);
  check_in_sync();
}

void ReplicaWorld::check_roles(Node& node) {
  const Replica& replica = *node.replica;
  if (replica.promised() < node.promised) fail("I2: the promise of " + name(node.self) + " went back");
  node.promised = replica.promised();
  if (replica.committed() > replica.last_seq()) fail("committed beyond the log's end");
  if (replica.role() == Role::primary) check_leader(node);
  if (node.barrier == 0) return;
  if (replica.role() != Role::primary || replica.epoch() != node.barrier_epoch) {
    node.barrier = 0;
  } else if (replica.barriers_passed() >= node.barrier) {
    ++counts_.barriers;
    node.barrier = 0;
    if (replica.committed().value < node.barrier_ghost)
      fail("2.11: a read behind a barrier at " + name(node.self) + " misses what was committed before it");
  }
}

/// I1, F7: whoever has said anything in an epoch is the only one ever, in one life.
void ReplicaWorld::check_leader(Node& node) {
  const Epoch epoch = node.replica->epoch();
  const auto [leader, fresh] = leaders_.try_emplace(epoch, node.self.node, node.boot);
  if (leader->second != std::pair{node.self.node, node.boot})
    fail("I1: epoch " + std::to_string(epoch.value) + " was led before");
}

/// I5: whoever may be promoted has everything that is committed. I7.
void ReplicaWorld::check_in_sync() {
  const log::PartitionConfig& config = rows_.back().config;
  if (static_cast<std::uint32_t>(config.in_sync_size()) < config.min_isr()) fail("I7: the set is too small");
  if (ghost_.empty()) return;
  for (const Member& member : in_sync_of(config)) {
    const Node& one = nodes_[member.node.value - 1];
    if (one.self == member && !holds(*one.db, Seq(ghost_.size()), ghost_.back()))
      fail("I5: " + name(member) + " is in sync and lacks entry " + std::to_string(ghost_.size()) +
           ", which is committed");
  }
}

void ReplicaWorld::check_committed(Node& node, const Appended& entry) {
  const Seq seq = entry.encoded->seq;
  const Hash32& chain = entry.encoded->chain;
  if (seq != node.handed.next()) return fail("committed entries come in order, each once");
  node.handed = seq;
  if (seq.value <= ghost_.size()) {
    if (ghost_[seq.value - 1] != chain) fail("I4: entry " + std::to_string(seq.value) + " was committed as another");
    return;
  }
  if (!node.replica->leads()) return fail("I9: a backup calls committed what no primary did");
  ghost_.push_back(chain);
  if (ghost_.size() != seq.value) return fail("I4: committed entries are missing");
  check_durable(node, seq, chain);
}

/// I8, I6, I12: what a primary calls committed is on the disks of all who count, and of enough of them.
void ReplicaWorld::check_durable(Node& node, Seq seq, const Hash32& chain) {
  const auto copies = std::ranges::count_if(stores_, [&](const auto& one) { return holds(*one.second, seq, chain); });
  if (copies < static_cast<std::ptrdiff_t>(faults_.min_in_sync))
    fail("I8: entry " + std::to_string(seq.value) + " is committed with " + std::to_string(copies) + " copies");
  for (const Member& member : in_sync_of(node.replica->row().config))
    if (!holds(*stores_.at(member.store), seq, chain))
      fail("I12: entry " + std::to_string(seq.value) + " is committed, and the store of " + name(member) +
           ", which counts, never had it");
}

/// W4, I2: an acknowledgement is of what is synced, in an epoch whose promise is.
void ReplicaWorld::check_sent(Node& node, const peer::Replication& message) {
  if (message.has_append()) check_leader(node);
  if (!message.has_ack()) return;
  const auto row = node.db->get_durable(LogStore::promise_key(kPartition));
  log::PartitionMeta meta;
  if (!row || !*row || !meta.ParseFromString(**row) || meta.promised_epoch() < message.epoch())
    fail("I2: " + name(node.self) + " acknowledges in an epoch that it has not promised durably");
  const Seq seq(message.ack().durable());
  if (seq > Seq{}) {
    const auto entry = node.db->get_durable(LogStore::entry_key(kPartition, seq));
    if (!entry || !*entry) fail("W4: " + name(node.self) + " acknowledges what it has not synced");
  }
}

/// I3: epoch and sequence determine the content and all before it. I11: what is committed is never cut off.
void ReplicaWorld::check_write(Node& node, const LogWrite& write) {
  if (write.cut && write.cut->first <= node.handed) fail("I11: what is committed was cut off");
  for (const auto& encoded : write.entries) {
    log::Entry entry;
    if (!entry.ParseFromString(std::string(entry_bytes(*encoded)))) return fail("an entry does not parse");
    const auto [known, fresh] = contents_.try_emplace({entry.epoch(), entry.seq()}, encoded->chain);
    if (known->second != encoded->chain)
      fail("I3: epoch " + std::to_string(entry.epoch()) + " has two entries " + std::to_string(entry.seq()));
  }
}

}  // namespace holdfast::failover
