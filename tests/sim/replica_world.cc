#include "tests/sim/replica_world.h"

#include <algorithm>

namespace holdfast::failover {
namespace {

constexpr PartitionId kPartition(1);
using std::chrono::milliseconds;

StoreId store_id(std::uint64_t number) {
  std::array<std::uint8_t, StoreId::kBytes> bytes{};
  for (int i = 0; i < 8; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(number >> (8 * i));
  return StoreId(bytes);
}

void set(log::PartitionConfig::Store& store, const Member& member) {
  store.set_node(member.node.value);
  store.set_store_id(member.store.str());
}

}  // namespace

std::uint64_t ReplicaWorld::next() {  // splitmix64
  std::uint64_t z = (random_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

ReplicaWorld::ReplicaWorld(std::uint64_t seed, const Faults& faults, Mutant mutant) : random_(seed), faults_(faults) {
  options_.mutant = mutant;
  options_.append_bytes_max = faults.append_bytes_max;
  options_.kept_bytes = faults.kept_bytes;
  PartitionRow row;
  row.revision = 1;
  row.config.set_epoch(1);
  row.config.set_min_isr(faults.min_in_sync);
  nodes_.resize(faults.nodes);
  for (std::uint32_t i = 0; i < faults.nodes; ++i) {
    Node& node = nodes_[i];
    node.self = {NodeId(i + 1), store_id(i + 1)};
    node.db = stores_[node.self.store] = std::make_shared<MemoryDatabase>();
    node.registered_store = node.self.store;
    if (i < std::max(3u, faults.min_in_sync)) {
      row.config.add_replicas(i + 1);
      set(*row.config.add_in_sync(), node.self);
    }
  }
  *row.config.mutable_primary() = row.config.in_sync(0);
  rows_.push_back(row);
  for (Node& node : nodes_) restart(node);
  for (Node& from : nodes_)
    for (Node& to : nodes_) update_link(from, to);
}

ReplicaWorld::Node* ReplicaWorld::life(NodeId id, std::uint64_t boot) {
  if (id.value == 0) return nullptr;
  Node& one = node(id);
  return one.replica && one.boot == boot ? &one : nullptr;
}

/// One that there is something to do with, if there is any.
ReplicaWorld::Node& ReplicaWorld::any_that(bool (*fits)(const Node&)) {
  std::size_t at = below(nodes_.size());
  for (std::size_t i = 0; i + 1 < nodes_.size() && !fits(nodes_[at]); ++i) at = (at + 1) % nodes_.size();
  return nodes_[at];
}

void ReplicaWorld::step() {
  if (!wrong_.empty()) return;
  const Faults& f = faults_;
  const std::array<std::pair<unsigned, void (*)(ReplicaWorld&)>, 20> doings{{
      {400, [](ReplicaWorld& w) { w.deliver_any(); }},
      {f.disk,
       [](ReplicaWorld& w) {
         w.sync(w.any_that([](const Node& n) { return n.replica && !n.written.empty(); }), w.chance(75));
       }},
      {60, [](ReplicaWorld& w) { w.tell_synced(w.any_that([](const Node& n) { return n.synced != 0; })); }},
      {f.append,
       [](ReplicaWorld& w) {
         w.append(w.any_that([](const Node& n) { return n.replica && n.replica->may_append(); }));
       }},
      {60, [](ReplicaWorld& w) { w.tick(milliseconds(1 + w.below(120))); }},
      {f.config, [](ReplicaWorld& w) { w.read_config(w.any_node(), true); }},
      {60,
       [](ReplicaWorld& w) {
         Node& from = w.any_node();
         w.update_link(from, w.any_node());
       }},
      {f.outcome,
       [](ReplicaWorld& w) {
         if (!w.changes_.empty()) w.carry_out(w.below(w.changes_.size()));
       }},
      {60,
       [](ReplicaWorld& w) {
         if (!w.settled_.empty()) w.tell_outcome(w.below(w.settled_.size()), w.chance(75));
       }},
      {40,
       [](ReplicaWorld& w) {
         if (!w.pages_.empty()) w.give_page(w.below(w.pages_.size()));
       }},
      {20,
       [](ReplicaWorld& w) {
         if (!w.snapshots_.empty()) w.give_snapshot(w.below(w.snapshots_.size()));
       }},
      {f.restart,
       [](ReplicaWorld& w) {
         if (Node& n = w.any_node(); !n.replica) w.restart(n);
       }},
      {30,
       [](ReplicaWorld& w) {
         Node& one = w.any_node();
         if (one.replica) one.registered = true, one.registered_store = one.self.store;
       }},
      {10,
       [](ReplicaWorld& w) {
         w.want_barrier(w.any_that([](const Node& n) { return n.replica && n.replica->leads(); }));
       }},
      {f.crash, [](ReplicaWorld& w) { w.crash(w.any_node()); }},
      {f.store_loss, [](ReplicaWorld& w) { w.lose_store(w.any_node()); }},
      {f.promote, [](ReplicaWorld& w) { w.promote(); }},
      {f.hand_off,
       [](ReplicaWorld& w) {
         w.hand_off(w.any_that([](const Node& n) { return n.replica && n.replica->may_append(); }));
       }},
      {f.placement, [](ReplicaWorld& w) { w.change_placement(); }},
      {f.cut + f.gone + f.lease,
       [](ReplicaWorld& w) {
         const std::uint64_t which = w.below(w.faults_.cut + w.faults_.gone + w.faults_.lease);
         Node& one = w.any_node();
         Node& other = w.any_node();
         if (which < w.faults_.cut) {
           Link& link = w.links_[{one.self.node.value, other.self.node.value}];
           link.cut = !link.cut && w.chance(60);
           link.boot = 0;
           if (link.cut && w.chance(70)) link.parcels.clear();
         } else if (which < w.faults_.cut + w.faults_.gone) {
           if (one.replica) one.replica->gone(other.self.node, w.chance(40));
           if (one.replica) w.pump(one);
         } else {
           one.registered = one.replica && w.chance(70);
           one.registered_store = one.self.store;
         }
       }},
  }};
  std::uint64_t sum = 0;
  for (const auto& [weight, doing] : doings) sum += weight;
  std::uint64_t drawn = below(sum);
  for (const auto& [weight, doing] : doings) {
    if (drawn < weight) {
      doing(*this);
      break;
    }
    drawn -= weight;
  }
  check();
}

// ------------------------------------------------------------------------------------------------ links and disks

void ReplicaWorld::deliver_any() {
  const std::size_t links = links_.size();
  auto at = links_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(below(links)));
  for (std::size_t i = 0; i < links; ++i) {
    if (!at->second.parcels.empty())
      return deliver(NodeId(at->first.first), NodeId(at->first.second), chance(faults_.reordering));
    if (++at == links_.end()) at = links_.begin();
  }
}

void ReplicaWorld::deliver(NodeId from, NodeId to, bool reorder) {
  Link& link = links_[{from.value, to.value}];
  const auto which = static_cast<std::ptrdiff_t>(reorder ? below(link.parcels.size()) : 0);
  const Parcel parcel = link.parcels[static_cast<std::size_t>(which)];
  if (healing_ || !chance(faults_.duplication)) link.parcels.erase(link.parcels.begin() + which);
  Node& there = node(to);
  if (!healing_ && chance(faults_.loss)) {
    link.boot = 0;  // what is lost is lost with its connection: the sender will notice
    return;
  }
  if (!there.replica) return;
  there.replica->received(parcel.from, parcel.message);
  pump(there);
}

/// A link is what its sender believes: it notices late that the other end went, or came back as another.
void ReplicaWorld::update_link(Node& from, Node& to) {
  if (&from == &to) return;
  Link& link = links_[{from.self.node.value, to.self.node.value}];
  const bool possible = from.replica && to.replica && !link.cut;
  if (!from.replica) {
    link.up = false;
    return;
  }
  if (link.up && possible && link.boot == to.boot) return;
  if (link.up) {
    link.up = false;
    from.replica->link_down(to.self.node);
  }
  if (possible) {
    link.up = true;
    link.boot = to.boot;
    from.replica->link_up(to.self);
  }
  pump(from);
}

void ReplicaWorld::sync(Node& node, bool tell) {
  if (!node.replica || node.written.empty()) return;
  if (!node.db->flush()) return fail("a flush failed");
  node.synced = node.written.back();
  node.written.clear();
  if (tell) tell_synced(node);
}

void ReplicaWorld::tell_synced(Node& node) {
  if (!node.replica || node.synced == 0) return;
  node.replica->durable(std::exchange(node.synced, 0));
  pump(node);
}

void ReplicaWorld::crash(Node& node) {
  if (!node.replica) return;
  ++counts_.crashes;
  node.replica.reset();
  node.db->crash(below(node.db->forgettable() + 1));
  node.written.clear();
  node.synced = 0;
  node.applied = Seq(node.applied.value + below(node.handed.value - node.applied.value + 1));
  if (chance(50)) node.registered = false;
  for (Node& other : nodes_)
    if (chance(50)) links_[{node.self.node.value, other.self.node.value}].parcels.clear();
}

void ReplicaWorld::lose_store(Node& node) {
  if (!survivable(node)) return;
  ++counts_.losses;
  crash(node);
  node.registered = false;
  node.self.store = store_id(next_store_++);
  node.db = stores_[node.self.store] = std::make_shared<MemoryDatabase>();
  node.handed = node.applied = Seq{};
  node.promised = Epoch{};
}

/// The data can be lost only with every disk of a set that the store has, or may come to have.
bool ReplicaWorld::survivable(const Node& lost) const {
  const auto survives = [&](const log::PartitionConfig& config) {
    const auto members = in_sync_of(config);
    return std::ranges::any_of(members, [&](const Member& member) {
      return std::ranges::any_of(nodes_, [&](const Node& node) { return node.self == member && &node != &lost; });
    });
  };
  return survives(rows_.back().config) &&
         std::ranges::all_of(changes_, [&](const Change& change) { return survives(change.wanted.wanted); });
}

Recovered ReplicaWorld::recover(Node& node) const {
  const LogStore log(*node.db);
  const log::PartitionMeta meta = *log.meta(kPartition);
  Recovered out{};
  out.promised = Epoch(meta.promised_epoch());
  for (const auto& start : meta.epoch_starts())
    out.epoch_starts.push_back({Epoch(start.epoch()), Seq(start.first_seq())});
  const auto last = *log.last(kPartition);
  if (!last) return out;
  out.last_seq = Seq(last->entry.seq());
  out.last_epoch = Epoch(last->entry.epoch());
  out.last_chain = last->chain;
  out.last_time = from_ms(last->entry.time_ms());
  Hash32 chain{};
  const std::vector<StoredEntry> entries_read = *log.read(kPartition, Seq(1), 1u << 30);
  for (const StoredEntry& stored : entries_read) {
    if (stored.entry.seq() <= node.applied.value) {
      out.epoch_before_tail = Epoch(stored.entry.epoch());
      out.chain_before_tail = chain = stored.chain;
      continue;
    }
    auto entry = std::make_shared<const log::Entry>(stored.entry);
    auto encoded = std::make_shared<const EncodedEntry>(encode_entry(kPartition, *entry, chain));
    chain = encoded->chain;
    out.tail.push_back({std::move(entry), std::move(encoded)});
  }
  return out;
}

void ReplicaWorld::restart(Node& node) {
  node.boot = next_boot_++;
  const Recovered recovered = recover(node);
  node.promised = recovered.promised;  // less than it had in memory, but never less than it acknowledged in
  node.handed = node.applied;
  node.barrier = 0;
  for (Node& other : nodes_) links_[{node.self.node.value, other.self.node.value}].up = false;
  node.replica = std::make_unique<Replica>(kPartition, node.self, recovered, options_);
  node.replica->tick(now_);
  pump(node);
}

void ReplicaWorld::tick(milliseconds by) {
  now_ += by;
  for (Node& node : nodes_) {
    if (!node.replica) continue;
    node.replica->tick(now_);
    pump(node);
  }
}

void ReplicaWorld::append(Node& node) {
  if (!node.replica || !node.replica->may_append()) return;
  log::Entry body;
  body.add_writes()->set_key(std::to_string(next() % 100'000));
  node.replica->append(std::move(body), node.replica->log_time(wall()));
  pump(node);
}

void ReplicaWorld::want_barrier(Node& node) {
  if (!node.replica || node.replica->role() != Role::primary || node.barrier != 0) return;
  node.barrier = node.replica->want_barrier();
  node.barrier_ghost = ghost_.size();
  node.barrier_epoch = node.replica->epoch();
  pump(node);
}

void ReplicaWorld::submit(Node& node, const LogWrite& write) {
  check_write(node, write);
  LogBatch batch;
  batch.add(write);
  if (!node.db->write(batch.batch(), Durability::written)) fail("a write failed");
  node.written.push_back(write.ticket);
}

/// Carries out what the replica wants: at once what is its own node's, later what is others'.
void ReplicaWorld::pump(Node& node) {
  for (bool again = true; again && wrong_.empty();) {
    again = node.replica->take_epoch_start(wall()).has_value();
    Replica::Ready ready = node.replica->take_ready();
    if (!ready.trouble.empty()) return fail("quarantined: " + ready.trouble);
    for (const LogWrite& write : ready.writes) submit(node, write);
    for (const Appended& entry : ready.committed) check_committed(node, entry);
    for (Replica::Message& message : ready.messages) {
      check_sent(node, message.message);
      Link& link = links_[{node.self.node.value, message.to.value}];
      if (link.up && !link.cut) link.parcels.push_back({node.self, std::move(message.message)});
    }
    for (const Replica::LogWanted& wanted : ready.log) read_log(node, wanted);
    for (const NodeId to : ready.snapshots) snapshots_.push_back({node.boot, node.self.node, to});
    if (ready.reconfiguration) changes_.push_back({node.self.node, node.boot, std::move(*ready.reconfiguration)});
  }
}

}  // namespace holdfast::failover
