#include "failover/balancer.h"

#include <algorithm>
#include <utility>

namespace holdfast::failover {
namespace {

using log::PartitionConfig;

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

std::vector<NodeId> in_sync_nodes(const ClusterView& view, const PartitionConfig& config) {
  std::vector<NodeId> nodes;
  for (const auto& store : config.in_sync())
    if (view.live(store)) nodes.push_back(NodeId(store.node()));
  return nodes;
}

/// Who has a copy or is to get one: learners, and the in-sync set even if the row forgot to say so.
std::vector<NodeId> holders(const PartitionConfig& config) {
  std::set<NodeId> nodes;
  for (const std::uint32_t node : config.replicas()) nodes.insert(NodeId(node));
  for (const auto& store : config.in_sync()) nodes.insert(NodeId(store.node()));
  return {nodes.begin(), nodes.end()};
}

/// `config` without the copies that nobody wants, if all wanted ones are in sync.
void drop_unwanted(const ClusterView& view, const std::vector<NodeId>& wanted, PartitionConfig& config) {
  const auto in_sync = in_sync_nodes(view, config);
  if (wanted.empty() || !std::all_of(wanted.begin(), wanted.end(), [&](NodeId n) { return contains(in_sync, n); }))
    return;
  const auto stays = [&](std::uint32_t node) {
    return contains(wanted, NodeId(node)) || config.primary().node() == node;
  };
  PartitionConfig kept = config;
  kept.clear_in_sync();
  kept.clear_replicas();
  for (const auto& store : config.in_sync())
    if (stays(store.node())) *kept.add_in_sync() = store;
  for (const NodeId node : holders(config))
    if (stays(node.value)) kept.add_replicas(node.value);
  if (static_cast<std::uint32_t>(kept.in_sync_size()) >= config.min_isr()) config = std::move(kept);
}

bool same(const PartitionConfig& a, const PartitionConfig& b) { return a.SerializeAsString() == b.SerializeAsString(); }

}  // namespace

bool Balancer::well(const Situation& situation, NodeId node) {
  const auto health = situation.detector.health_of(node).value_or(peer::Beat::OK);
  if (health == peer::Beat::SLOW || health == peer::Beat::FULL || health == peer::Beat::DRAINING)
    slow_until_[node] =
        situation.now + (health == peer::Beat::SLOW ? options_.slow_for : std::chrono::milliseconds(500));
  const auto slow = slow_until_.find(node);
  if (slow != slow_until_.end() && situation.now < slow->second) return false;
  return !clock_off(situation, node);
}

/// Where most others are off by our clock, it is ours that is wrong.
bool Balancer::clock_off(const Situation& situation, NodeId node) const {
  const auto off = [&](NodeId other) {
    const auto offset = situation.detector.clock_offset_of(other);
    return offset && (*offset > options_.clock_offset_max || -*offset > options_.clock_offset_max);
  };
  std::size_t told = 0, differ = 0;
  for (const auto& [other, member] : situation.view.members()) {
    if (situation.detector.clock_offset_of(other)) ++told;
    if (off(other)) ++differ;
  }
  const bool ours_is_wrong = told >= 2 && differ * 2 > told;
  const bool is_self = situation.view.coordinator() && situation.view.coordinator()->node == node;
  return is_self ? ours_is_wrong : off(node) && !ours_is_wrong;
}

PlacementInput Balancer::look(const Situation& situation, const Coordinator& coordinator) {
  PlacementInput input;
  input.copies = options_.copies;
  for (const auto& [node, member] : situation.view.members()) {
    const bool lost = !coordinator.lost(situation, node).empty();
    if (lost) {
      down_since_.try_emplace(node, situation.now);
    } else {
      down_since_.erase(node);
    }
    const bool long_gone = lost && situation.now - down_since_.at(node) >= options_.replace_after;
    const bool here = !lost && situation.view.node(node) != nullptr && situation.detector.life(node) == Life::alive;
    PlacementNode& placed = input.nodes[node];
    placed.zone = member.row.zone();
    placed.may_hold = !member.row.draining() && !long_gone;
    placed.may_lead =
        here && !member.row.draining() && well(situation, node) && !situation.flaps.held_back(node, situation.now);
  }
  for (const auto& [id, row] : situation.view.partitions()) {
    PlacementPartition& partition = input.partitions[id];
    partition.replicas = holders(row.config);
    partition.in_sync = in_sync_nodes(situation.view, row.config);
    partition.primary = NodeId(row.config.primary().node());
    for (const NodeId node : partition.in_sync)
      if (situation.detector.quarantined(node, id)) partition.unfit.push_back(node);
  }
  return input;
}

Balancer::Plan Balancer::plan(const Situation& situation, const Coordinator& coordinator) {
  Plan plan;
  if (situation.now < next_pass_) return plan;
  next_pass_ = situation.now + options_.pass;
  const PlacementInput input = look(situation, coordinator);
  plan_copies(situation, input, plan);
  plan_handoffs(situation, input, plan);
  note_drained(situation, plan);
  return plan;
}

void Balancer::plan_copies(const Situation& situation, const PlacementInput& input, Plan& plan) {
  const ClusterView& view = situation.view;
  wanted_ = place_copies(input);
  std::map<NodeId, std::size_t> fills;
  filling_ = false;
  const auto alive = [&](NodeId node) {
    return view.node(node) != nullptr && situation.detector.life(node) == Life::alive;
  };
  for (const auto& [id, partition] : input.partitions) {
    for (const NodeId node : partition.replicas) {
      const bool fills_up = alive(node) && !situation.detector.quarantined(node, id);
      if (!contains(partition.in_sync, node) && fills_up) ++fills[node], filling_ = true;
    }
  }
  for (const auto& [id, row] : view.partitions()) {
    if (situation.queue.outstanding(partition_key(id))) continue;
    const std::vector<NodeId>& wanted = wanted_.at(id);
    PartitionConfig next = row.config;
    for (const NodeId node : wanted) {
      if (contains(input.partitions.at(id).replicas, node) || !alive(node)) continue;
      if (fills[node] >= options_.fills_at_once) continue;
      ++fills[node];
      next.add_replicas(node.value);
    }
    drop_unwanted(view, wanted, next);
    const auto in_sync = static_cast<std::uint32_t>(next.in_sync_size());
    if (next.min_isr() < options_.min_in_sync && in_sync >= options_.min_in_sync &&
        view.members().size() > options_.min_in_sync)
      next.set_min_isr(options_.min_in_sync);
    if (same(next, row.config)) continue;
    next.clear_nonce();
    plan.changes.push_back(
        {partition_key(id), row.revision, std::move(next), {{kCoordinatorKey, view.coordinator()->revision}}});
  }
}

void Balancer::plan_handoffs(const Situation& situation, const PlacementInput& input, Plan& plan) {
  for (auto it = handing_off_.begin(); it != handing_off_.end();) {
    const auto row = situation.view.partitions().find(it->first);
    const bool moved = row == situation.view.partitions().end() || row->second.config.epoch() != it->second.epoch.value;
    const bool over = moved || situation.now - it->second.at >= options_.handoff_patience;
    it = over ? handing_off_.erase(it) : std::next(it);
  }
  std::set<NodeId> busy;
  for (const auto& [id, handing] : handing_off_) busy.insert(handing.from);
  const auto leaders = place_leaders(input);
  for (const bool draining_first : {true, false}) {
    for (const auto& [id, leader] : leaders) {
      const PlacementPartition& partition = input.partitions.at(id);
      const NodeId from = partition.primary;
      if (leader == from || handing_off_.contains(id) || situation.detector.life(from) != Life::alive) continue;
      const auto node = input.nodes.find(from);
      const bool must_go = node != input.nodes.end() && !node->second.may_lead;
      if (must_go != draining_first || (!must_go && (situation.now < cool_until_ || busy.contains(from)))) continue;
      if (handing_off_.size() >= (must_go ? options_.leaving_at_once : options_.handoffs_at_once)) continue;
      const Epoch epoch(situation.view.partitions().at(id).config.epoch());
      handing_off_[id] = HandingOff{epoch, from, situation.now};
      busy.insert(from);
      plan.handoffs.push_back({id, epoch, from, leader});
    }
  }
}

void Balancer::note_drained(const Situation& situation, Plan& plan) {
  for (const auto& [node, member] : situation.view.members()) {
    if (!member.row.draining()) {
      drained_.erase(node);
      continue;
    }
    bool empty = true;
    for (const auto& [id, row] : situation.view.partitions()) {
      const bool leads = row.config.primary().node() == node.value;
      const bool gives_up = contains(holders(row.config), node) && !contains(wanted_.at(id), node);
      empty = empty && !leads && !gives_up;
    }
    if (!empty) drained_.erase(node);
    if (empty && drained_.insert(node).second) plan.drained.push_back(node);
  }
}

}  // namespace holdfast::failover
