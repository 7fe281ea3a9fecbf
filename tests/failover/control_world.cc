#include "tests/failover/control_world.h"

#include <algorithm>

namespace holdfast::failover::testing {
namespace {

StoreId store_id(std::uint32_t n) { return StoreId({static_cast<std::uint8_t>(n), 1}); }
constexpr milliseconds kLease{2000};

}  // namespace

void World::start(std::uint32_t id, bool founder, const std::string& zone) {
  ++lives_;
  Node& node = nodes_[id];
  node = Node{};
  const std::uint32_t store = stores_.try_emplace(id, id).first->second;
  node.self = Self{NodeId(id), store_id(store),
                   BootId({static_cast<std::uint8_t>(id), static_cast<std::uint8_t>(lives_),
                           static_cast<std::uint8_t>(lives_ >> 8)})};
  ControllerOptions options;
  options.node.self = node.self;
  options.node.name = "node-" + std::to_string(id);
  options.node.zone = zone;
  options.node.peer_address = "node-" + std::to_string(id) + ":7500";
  options.node.partitions = partitions_;
  options.node.founder = founder;
  options.balancer.cool_down = milliseconds(1000);
  options.seed = id * 1000 + lives_;
  if (adjust) adjust(options);
  node.controller = std::make_unique<Controller>(options);
}

void World::kill(std::uint32_t id) {
  Node& node = nodes_.at(id);
  node.dead = true;
  lease_ends_[id] = now_ + kLease;
  for (auto& [other, peer] : nodes_) {
    if (other == id || !up_.contains({other, id})) continue;
    at(milliseconds(1), [this, other, id] {
      if (alive(other)) controller(other).link_down(NodeId(id), LinkDown::closed, now_);
    });
    at(milliseconds(3), [this, other, id] {
      if (alive(other) && !alive(id) && connected(other, id))
        controller(other).link_down(NodeId(id), LinkDown::refused, now_);
    });
  }
  std::erase_if(up_, [id](const auto& link) { return link.first == id || link.second == id; });
}

void World::cut(std::uint32_t from, std::uint32_t to, bool cut) {
  if (cut) {
    cuts_.insert({from, to});
  } else {
    cuts_.erase({from, to});
  }
}

bool World::connected(std::uint32_t a, std::uint32_t b) const {
  return !cuts_.contains({a, b}) && !cuts_.contains({b, a});
}

/// Whoever should be dialled and lives is linked up.
void World::links() {
  for (auto& [a, from] : nodes_) {
    for (auto& [b, to] : nodes_) {
      if (a == b || from.dead || to.dead || from.paused || to.paused || up_.contains({a, b}) || !connected(a, b))
        continue;
      if (from.controller->view().node(NodeId(b)) == nullptr) continue;
      up_.insert({a, b});
      from.controller->link_up(NodeId(b), to.self.boot, now_);
    }
  }
}

void World::check_row(const std::string& key, const std::string& value) {
  if (!key.starts_with("part/") || !store_.rows.contains(key)) return;
  log::PartitionConfig was, is;
  if (!was.ParseFromString(store_.rows.at(key).value) || !is.ParseFromString(value)) return;
  if (is.epoch() < was.epoch()) broken_.push_back(key + ": epoch went back (I2)");
  if (is.epoch() == was.epoch() && !same_store(is.primary(), was.primary()))
    broken_.push_back(key + ": two primaries of one epoch (I1)");
  if (is.min_isr() < was.min_isr()) broken_.push_back(key + ": min_isr went down");
  if (static_cast<std::uint32_t>(is.in_sync_size()) < is.min_isr())
    broken_.push_back(key + ": in_sync below min_isr (I7)");
}

std::uint64_t World::put(const std::string& key, const std::string& value) {
  store_.rows[key] = ConfigRow{value, ++store_.revision};
  return store_.revision;
}

void World::erase(const std::string& key) {
  store_.rows.erase(key);
  ++store_.revision;
}

std::pair<bool, Outcome> World::transact(std::uint32_t id, const Transaction& transaction) {
  largest_ = std::max(largest_, transaction.compares.size() + transaction.puts.size() + transaction.leased_puts.size());
  if (store_fails || nodes_.at(id).cut_from_store) return {false, Outcome::refused};
  for (const Compare& compare : transaction.compares) {
    const auto row = store_.rows.find(compare.key);
    if ((row == store_.rows.end() ? 0 : row->second.revision) != compare.revision) return {false, Outcome::refused};
  }
  const auto [applied, told] = meddle ? meddle(transaction) : std::pair(true, Outcome::applied);
  if (!applied) return {false, told};
  ++store_.revision;
  for (const auto* puts : {&transaction.puts, &transaction.leased_puts}) {
    for (const auto& [key, value] : *puts) {
      check_row(key, value);
      store_.rows[key] = ConfigRow{value, store_.revision};
    }
  }
  for (const auto& [key, value] : transaction.leased_puts) leases_[key] = id;
  for (const std::string& key : transaction.removes) store_.rows.erase(key);
  lease_ends_.erase(id);
  for (auto& [other, node] : nodes_)
    at(milliseconds(2), [this, o = other] {
      if (alive(o) && !nodes_.at(o).paused && !nodes_.at(o).cut_from_store) controller(o).hint(now_);
    });
  return {true, told};
}

void World::carry_out(std::uint32_t id) {
  Node& node = nodes_.at(id);
  const BootId boot = node.self.boot;
  const auto same_life = [this, id, boot] { return alive(id) && nodes_.at(id).self.boot == boot; };
  Ready ready = node.controller->take_ready();
  for (const Submission& submission : ready.transactions) {
    at(milliseconds(3), [this, id, submission, same_life] {
      const auto result = transact(id, submission.transaction);
      at(milliseconds(2), [this, id, submission, same_life, told = result.second] {
        if (same_life()) controller(id).transaction_done(submission.ticket, told, now_);
      });
    });
  }
  if (ready.list) {
    at(milliseconds(2), [this, id, same_life] {
      const bool fails = store_fails || nodes_.at(id).cut_from_store;
      at(milliseconds(1), [this, id, same_life, fails, rows = store_] {
        if (!same_life()) return;
        fails ? controller(id).list_failed(now_) : controller(id).listed(rows, now_);
      });
    });
  }
  for (Addressed& addressed : ready.frames) {
    const std::uint32_t to = addressed.to.value;
    if (!up_.contains({id, to}) || cuts_.contains({id, to})) continue;
    at(milliseconds(1), [this, id, to, frame = std::move(addressed.frame)] {
      if (alive(to) && !nodes_.at(to).paused) controller(to).received(NodeId(id), frame, now_);
    });
  }
  for (Configured& configured : ready.configured) node.rows[configured.partition] = std::move(configured.row);
  for (const Reconfigured& answer : ready.reconfigured)
    if (answer.outcome != Outcome::unknown) node.asked[answer.partition] = false;
  for (const NodeId gone : ready.gone) node.gone.insert(gone);
  for (const NodeId back : ready.back) node.gone.erase(back);
  for (const Handoff& handoff : ready.handoffs) node.handoffs[handoff.partition] = handoff;
}

void World::replicas(std::uint32_t id, Node& node) {
  for (auto& [partition, row] : node.rows) {
    const log::PartitionConfig& config = row.config;
    if (config.primary().node() != id || node.asked[partition]) continue;
    const Detector& detector = node.controller->detector();
    if (detector.quarantined(NodeId(id), partition)) continue;
    const auto ask = [&, p = partition](log::PartitionConfig next, std::vector<NodeId> live) {
      node.asked[p] = true;
      next.clear_nonce();
      node.controller->reconfigure({p, row.revision, std::move(next), std::move(live)});
    };
    if (const auto handoff = node.handoffs.find(partition); handoff != node.handoffs.end()) {
      log::PartitionConfig next = config;
      next.set_epoch(config.epoch() + 1);
      bool found = handoff->second.epoch.value == config.epoch();
      for (const auto& store : config.in_sync())
        if (store.node() == handoff->second.to.value) *next.mutable_primary() = store;
      found = found && next.primary().node() == handoff->second.to.value;
      node.handoffs.erase(handoff);
      if (found) {
        ask(std::move(next), {});
        continue;
      }
    }
    log::PartitionConfig next = config;
    next.clear_in_sync();
    const auto disk_changed = [&](const auto& store) {  // it would never acknowledge under that store id
      const NodeEntry* entry = node.controller->view().node(NodeId(store.node()));
      return entry != nullptr && entry->store.bytes() != store.store_id();
    };
    for (const auto& store : config.in_sync())
      if (!node.gone.contains(NodeId(store.node())) && !disk_changed(store)) *next.add_in_sync() = store;
    if (replicas_shrink && next.in_sync_size() < config.in_sync_size() &&
        static_cast<std::uint32_t>(next.in_sync_size()) >= config.min_isr()) {
      ask(std::move(next), {});
      continue;
    }
    next = config;
    std::vector<NodeId> live;
    for (const std::uint32_t learner : config.replicas()) {
      const auto in = [&](const auto& store) { return store.node() == learner; };
      const NodeEntry* entry = node.controller->view().node(NodeId(learner));
      if (std::any_of(config.in_sync().begin(), config.in_sync().end(), in) || entry == nullptr) continue;
      if (node.gone.contains(NodeId(learner)) || !alive(learner)) continue;
      if (detector.quarantined(NodeId(learner), partition)) continue;  // it acknowledges nothing
      next.add_in_sync()->set_node(learner);
      next.mutable_in_sync()->rbegin()->set_store_id(entry->store.str());
      live.push_back(NodeId(learner));
    }
    if (live.empty()) {
      node.learner_since.erase(partition);
      continue;
    }
    if (now_ - node.learner_since.try_emplace(partition, now_).first->second < milliseconds(50)) continue;
    node.learner_since.erase(partition);
    ask(std::move(next), std::move(live));
  }
}

void World::step() {
  now_ += milliseconds(1);
  while (!events_.empty() && events_.begin()->first <= now_) {
    const Event event = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    event();
  }
  for (const auto& [id, ends] : std::map(lease_ends_)) {
    if (now_ < ends) continue;
    lease_ends_.erase(id);
    const std::string key = node_key(NodeId(id));
    if (leases_.contains(key) && store_.rows.contains(key)) erase(key);
  }
  links();
  const auto ms = now_.time_since_epoch() / milliseconds(1);
  for (auto& [id, node] : nodes_) {
    if (node.dead || node.paused) continue;
    if (node.cut_from_store && !lease_ends_.contains(id)) lease_ends_[id] = now_ + kLease;
    if ((ms + id) % 20 == 0) node.controller->tick(now_, from_ms(ms + clocks_[id].count()));
    if (ms % 10 == 0) replicas(id, node);
    carry_out(id);
  }
}

void World::run(milliseconds time) {
  for (const SteadyTime end = now_ + time; now_ < end;) step();
}

bool World::run_until(const std::function<bool()>& condition, milliseconds time) {
  for (const SteadyTime end = now_ + time; now_ < end; step())
    if (condition()) return true;
  return condition();
}

std::map<PartitionId, log::PartitionConfig> World::configs() const {
  std::map<PartitionId, log::PartitionConfig> configs;
  for (const auto& [key, row] : store_.rows) {
    log::PartitionConfig config;
    if (key.starts_with("part/") && config.ParseFromString(row.value))
      configs.emplace(PartitionId(static_cast<std::uint16_t>(std::stoul(key.substr(5)))), std::move(config));
  }
  return configs;
}

std::map<std::uint32_t, int> World::primaries() const {
  std::map<std::uint32_t, int> primaries;
  for (const auto& [id, config] : configs()) ++primaries[config.primary().node()];
  return primaries;
}

bool World::healthy(int copies) const {
  const auto all = configs();
  return all.size() == partitions_ && std::all_of(all.begin(), all.end(), [&](const auto& partition) {
           const log::PartitionConfig& config = partition.second;
           const auto lives = [&](const auto& store) { return alive(store.node()); };
           return config.in_sync_size() == copies && alive(config.primary().node()) &&
                  std::all_of(config.in_sync().begin(), config.in_sync().end(), lives);
         });
}

std::uint32_t World::coordinator() const {
  log::CoordinatorRow row;
  const auto it = store_.rows.find(kCoordinatorKey);
  return it != store_.rows.end() && row.ParseFromString(it->second.value) ? row.node() : 0;
}

int World::count(std::uint32_t node, Happening::Kind kind) {
  const auto& all = controller(node).happenings().all();
  return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const Happening& h) { return h.kind == kind; }));
}

}  // namespace holdfast::failover::testing
