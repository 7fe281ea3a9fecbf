#include "failover/coordinator.h"

#include <algorithm>
#include <tuple>

namespace holdfast::failover {
namespace {

using Store = log::PartitionConfig::Store;

log::PartitionConfig next_epoch(const log::PartitionConfig& config, const Store& primary) {
  log::PartitionConfig next = config;
  next.set_epoch(config.epoch() + 1);
  *next.mutable_primary() = primary;
  next.clear_nonce();
  return next;
}

}  // namespace

bool same_store(const Store& a, const Store& b) { return a.node() == b.node() && a.store_id() == b.store_id(); }

std::size_t primaries_of(const ClusterView& view, NodeId node) {
  return static_cast<std::size_t>(std::count_if(view.partitions().begin(), view.partitions().end(), [&](const auto& p) {
    return p.second.config.primary().node() == node.value;
  }));
}

void Coordinator::listed(const Situation& situation) {
  const ClusterView& view = situation.view;
  for (const auto& [id, row] : view.partitions()) {
    const NodeId primary(row.config.primary().node());
    const Epoch epoch(row.config.epoch());
    const NodeEntry* node = view.node(primary);
    if (first_listing_ && primary == self_.node) earlier_life_[id] = epoch;
    const auto known = led_in_.find(id);
    if (node != nullptr && (known == led_in_.end() || known->second.first != epoch))
      led_in_[id] = std::pair(epoch, node->boot);
  }
  first_listing_ = false;
  for (const auto& [node, entry] : view.members()) {
    if (view.node(node) != nullptr) {
      missing_since_.erase(node);
    } else {
      missing_since_.try_emplace(node, situation.now);
    }
  }
}

bool Coordinator::leads(const ClusterView& view) const {
  const auto& row = view.coordinator();
  const NodeEntry* own = view.node(self_.node);
  return row && row->node == self_.node && row->boot == self_.boot && own != nullptr && own->boot == self_.boot;
}

bool Coordinator::cut_from_store(const Situation& situation, NodeId node) const {
  const auto since = missing_since_.find(node);
  return since != missing_since_.end() && situation.now - since->second >= options_.unregistered;
}

std::string Coordinator::lost(const Situation& situation, NodeId node) const {
  if (situation.detector.dead(node)) return "dead";
  if (cut_from_store(situation, node)) return "heard by others, but cut from the configuration store";
  return {};
}

bool Coordinator::anybody_lost(const Situation& situation) const {
  for (const auto& [id, row] : situation.view.partitions())
    if (!lost_primary(situation, id, row.config).empty()) return true;
  return false;
}

std::string Coordinator::lost_primary(const Situation& situation, PartitionId partition,
                                      const log::PartitionConfig& config) const {
  const NodeId primary(config.primary().node());
  if (auto reason = lost(situation, primary); !reason.empty()) return reason;
  if (situation.detector.quarantined(primary, partition)) return "its copy is quarantined";
  const NodeEntry* node = situation.view.node(primary);
  if (node != nullptr && node->store.bytes() != config.primary().store_id()) return "came back with another disk";
  const auto led_in = led_in_.find(partition);
  const bool known = led_in != led_in_.end() && led_in->second.first.value == config.epoch();
  if (!known || primary == self_.node) return {};
  const auto boot = situation.detector.boot_of(primary);
  if (boot && *boot != led_in->second.second) return "restarted";
  return {};
}

std::string Coordinator::safe_mode(const Situation& situation) const {
  if (situation.view.went_back()) return "the configuration store went back";
  std::size_t members = 0, visible = 0, lost_with_primaries = 0;
  for (const auto& [node, entry] : situation.view.members()) {
    ++members;
    const Life life = situation.detector.life(node);
    if (life == Life::alive || life == Life::suspect) ++visible;
    if (!lost(situation, node).empty() && primaries_of(situation.view, node) > 0) ++lost_with_primaries;
  }
  const auto of = [members](std::size_t n) { return std::to_string(n) + " of " + std::to_string(members) + " nodes"; };
  // Of two nodes one may go on: the store's compare-and-swap decides which.
  if (members <= 2 ? visible * 2 < members : visible * 2 <= members) return "only " + of(visible) + " are visible";
  if (lost_with_primaries * 2 > members) return of(lost_with_primaries) + " would lose their primaries at once";
  return {};
}

bool Coordinator::may_lead(const Situation& situation, PartitionId partition, const Store& store) const {
  const NodeId id(store.node());
  if (!situation.view.live(store) || !lost(situation, id).empty()) return false;
  if (situation.detector.quarantined(id, partition)) return false;
  if (id == self_.node) return situation.view.node(id)->boot == self_.boot;
  const auto boot = situation.detector.boot_of(id);
  return !boot || situation.view.node(id)->boot == *boot;
}

/// F3. All of them have everything that is committed (I5).
const Store* Coordinator::choose(const Situation& situation, PartitionId partition, const log::PartitionConfig& config,
                                 const std::map<NodeId, std::size_t>& load) const {
  const auto rank = [&](const Store& store) {
    const NodeId node(store.node());
    const auto health = situation.detector.health_of(node).value_or(peer::Beat::OK);
    const auto it = load.find(node);
    return std::tuple(situation.flaps.held_back(node, situation.now),
                      health != peer::Beat::OK && health != peer::Beat::LATE, store.node() == config.primary().node(),
                      it == load.end() ? std::size_t{0} : it->second, node);
  };
  const Store* best = nullptr;
  for (const Store& store : config.in_sync())
    if (may_lead(situation, partition, store) && (best == nullptr || rank(store) < rank(*best))) best = &store;
  return best;
}

std::vector<RowChange> Coordinator::promotions(const Situation& situation) const {
  std::vector<RowChange> changes;
  if (!leads(situation.view) || !safe_mode(situation).empty()) return changes;
  std::map<NodeId, std::size_t> load;
  for (const auto& [id, row] : situation.view.partitions()) ++load[NodeId(row.config.primary().node())];
  for (const auto& [id, row] : situation.view.partitions()) {
    if (situation.queue.outstanding(partition_key(id))) continue;
    if (lost_primary(situation, id, row.config).empty()) continue;
    const Store* chosen = choose(situation, id, row.config, load);
    if (chosen == nullptr) continue;  // the first of them to return gets it
    log::PartitionConfig next = next_epoch(row.config, *chosen);
    next.clear_in_sync();
    for (const Store& store : row.config.in_sync()) {  // who is only cut from the store stays in sync
      const NodeId member(store.node());
      const bool answers = !situation.detector.dead(member) && !situation.detector.quarantined(member, id);
      if (answers) *next.add_in_sync() = store;
    }
    if (static_cast<std::uint32_t>(next.in_sync_size()) < row.config.min_isr())
      *next.mutable_in_sync() = row.config.in_sync();
    const NodeId node(chosen->node());
    ++load[node];
    changes.push_back({partition_key(id),
                       row.revision,
                       std::move(next),
                       {{node_key(node), situation.view.node(node)->revision},
                        {kCoordinatorKey, situation.view.coordinator()->revision}}});
  }
  return changes;
}

std::vector<RowChange> Coordinator::own_new_epochs(const Situation& situation) const {
  std::vector<RowChange> changes;
  const NodeEntry* own = situation.view.node(self_.node);
  if (own == nullptr || own->boot != self_.boot || situation.view.went_back()) return changes;
  for (const auto& [id, epoch] : earlier_life_) {
    const PartitionRow& row = situation.view.partitions().at(id);
    const bool ours =
        row.config.primary().node() == self_.node.value && row.config.primary().store_id() == self_.store.bytes();
    if (situation.detector.quarantined(self_.node, id)) continue;
    if (!ours || row.config.epoch() != epoch.value || situation.queue.outstanding(partition_key(id))) continue;
    changes.push_back({partition_key(id),
                       row.revision,
                       next_epoch(row.config, row.config.primary()),
                       {{node_key(self_.node), own->revision}}});
  }
  return changes;
}

bool Coordinator::reason_to_take_over(const Situation& situation) const {
  const auto& row = situation.view.coordinator();
  if (!row) return true;
  if (row->node == self_.node) return row->boot != self_.boot;
  if (!lost(situation, row->node).empty()) return true;
  if (!situation.view.members().contains(row->node)) return true;
  const auto boot = situation.detector.boot_of(row->node);
  return boot && *boot != row->boot;
}

std::size_t Coordinator::rank(const Situation& situation) const {
  const auto& row = situation.view.coordinator();
  std::size_t rank = 0;
  for (const auto& [node, entry] : situation.view.nodes()) {
    if (node >= self_.node) break;
    if (lost(situation, node).empty() && !(row && row->node == node)) ++rank;
  }
  return rank;
}

std::optional<RowChange> Coordinator::take_over(const Situation& situation, WallTime wall) {
  const NodeEntry* own = situation.view.node(self_.node);
  const bool able = own != nullptr && own->boot == self_.boot && situation.view.members().contains(self_.node);
  if (!able || !reason_to_take_over(situation) || !safe_mode(situation).empty()) {
    reason_since_.reset();
    return std::nullopt;
  }
  if (!reason_since_) reason_since_ = situation.now;
  const std::size_t turn = rank(situation) + (situation.detector.late() ? 3 : 0);
  if (situation.now < *reason_since_ + options_.stagger * turn) return std::nullopt;
  if (situation.queue.outstanding(kCoordinatorKey)) return std::nullopt;
  const auto& row = situation.view.coordinator();
  log::CoordinatorRow next;
  next.set_node(self_.node.value);
  next.set_boot_id(self_.boot.str());
  next.set_term(row ? row->row.term() + 1 : 1);
  next.set_since_ms(to_ms(wall));
  return RowChange{kCoordinatorKey, row ? row->revision : 0, std::move(next), {{node_key(self_.node), own->revision}}};
}

}  // namespace holdfast::failover
