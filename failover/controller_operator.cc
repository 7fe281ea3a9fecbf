/// Controller's operator requests: checked against what the store said last, then compare-and-swaps and asks.

#include <algorithm>

#include "failover/controller.h"

namespace holdfast::failover {
namespace {

std::string text(NodeId node) { return std::to_string(node.value); }

template <class Nodes>
std::string list_of(const Nodes& nodes) {
  std::string list;
  for (const auto& [node, entry] : nodes)
    list += (list.empty() ? "" : ", ") + text(node) + (entry.row.name().empty() ? "" : " (" + entry.row.name() + ")");
  return list.empty() ? "none" : list;
}

}  // namespace

Status Controller::known_member(NodeId node) const {
  if (!view_.listed()) return Error{Errc::retry_later, "the configuration store has not been read yet"};
  if (view_.members().contains(node)) return Ok{};
  return Error{Errc::not_found, "there is no node " + text(node) + "; the nodes are " + list_of(view_.members())};
}

Status Controller::move(PartitionId partition, NodeId to) {
  if (auto known = known_member(to); !known) return known;
  const auto row = view_.partitions().find(partition);
  const std::string name = "partition " + std::to_string(partition.value);
  if (row == view_.partitions().end())
    return Error{Errc::not_found, "there is no " + name + "; there are " + std::to_string(view_.partitions().size())};
  const log::PartitionConfig& config = row->second.config;
  const NodeId from(config.primary().node());
  if (from == to) return Ok{};
  std::string in_sync;
  bool ready = false;
  for (const auto& store : config.in_sync()) {
    in_sync += (in_sync.empty() ? "" : ", ") + std::to_string(store.node());
    ready = ready || (store.node() == to.value && view_.live(store));
  }
  if (!ready)
    return Error{Errc::invalid_argument,
                 "node " + text(to) + " has no copy of " + name + " in sync; in sync are " + in_sync};
  if (view_.members().at(to).row.draining())
    return Error{Errc::invalid_argument, "node " + text(to) + " is draining; undrain it first"};
  if (detector_.quarantined(to, partition))
    return Error{Errc::invalid_argument, "node " + text(to) + "'s copy of " + name +
                                             " is quarantined: it differs from what is committed; let the node come "
                                             "back with an empty disk"};
  if (detector_.dead(to)) return Error{Errc::retry_later, "node " + text(to) + " is not alive"};
  if (detector_.dead(from)) return Error{Errc::retry_later, name + " has no live primary now"};
  hand_off(from, {partition, Epoch(config.epoch()), to});
  return Ok{};
}

Status Controller::drain(NodeId node) { return set_draining(node, true); }
Status Controller::undrain(NodeId node) { return set_draining(node, false); }

Status Controller::set_draining(NodeId node, bool draining) {
  if (auto known = known_member(node); !known) return known;
  const MemberEntry& member = view_.members().at(node);
  if (member.row.draining() == draining) return Ok{};
  const bool others = std::any_of(view_.members().begin(), view_.members().end(), [&](const auto& other) {
    return other.first != node && !other.second.row.draining() && view_.node(other.first) != nullptr;
  });
  if (draining && !others)
    return Error{Errc::invalid_argument, "node " + text(node) + " is the last that runs and is not draining"};
  RowChange change;
  change.key = member_key(node);
  change.compared = member.revision;
  log::MemberRow row = member.row;
  row.set_draining(draining);
  row.clear_nonce();
  change.value = std::move(row);
  if (!queue_.add(std::move(change)))
    return Error{Errc::retry_later, "another change of node " + text(node) + " is under way"};
  return Ok{};
}

Status Controller::rebalance() {
  if (coordinates()) {
    balancer_.rebalance();
    return Ok{};
  }
  const auto& coordinator = view_.coordinator();
  if (!coordinator) return Error{Errc::retry_later, "nobody coordinates now"};
  return Error{Errc::not_primary, "node " + text(coordinator->node) + " coordinates: ask there"};
}

Status Controller::remove(NodeId node) {
  if (auto known = known_member(node); !known) return known;
  if (view_.node(node) != nullptr)
    return Error{Errc::invalid_argument, "node " + text(node) + " is running: drain it, then stop it, then remove it"};
  const auto names = [&](const log::PartitionConfig& config) {
    const auto& in_sync = config.in_sync();
    return std::count(config.replicas().begin(), config.replicas().end(), node.value) > 0 ||
           std::any_of(in_sync.begin(), in_sync.end(), [&](const auto& s) { return s.node() == node.value; });
  };
  const auto held = std::count_if(view_.partitions().begin(), view_.partitions().end(),
                                  [&](const auto& partition) { return names(partition.second.config); });
  if (held > 0)
    return Error{Errc::invalid_argument, "node " + text(node) + " still has copies of " + std::to_string(held) +
                                             " partitions: drain it and wait until they are elsewhere"};
  RowChange change;
  change.key = member_key(node);
  change.compared = view_.members().at(node).revision;
  change.value = log::MemberRow{};
  change.also = {{node_key(node), 0}};
  change.remove = true;
  if (!queue_.add(std::move(change)))
    return Error{Errc::retry_later, "another change of node " + text(node) + " is under way"};
  return Ok{};
}

Status Controller::unsafe_recover(const Recovery& recovery) {
  if (auto known = known_member(recovery.to); !known) return known;
  if (view_.went_back()) return Error{Errc::retry_later, *view_.problems().begin()};
  const std::string name = "partition " + std::to_string(recovery.partition.value);
  const auto row = view_.partitions().find(recovery.partition);
  if (row == view_.partitions().end())
    return Error{Errc::not_found, "there is no " + name + "; there are " + std::to_string(view_.partitions().size())};
  const NodeEntry* node = view_.node(recovery.to);
  if (node == nullptr) return Error{Errc::invalid_argument, "node " + text(recovery.to) + " does not run"};

  if (detector_.quarantined(recovery.to, recovery.partition))
    return Error{Errc::invalid_argument, "node " + text(recovery.to) + "'s copy of " + name +
                                             " is quarantined: it differs from what is committed"};

  const log::PartitionConfig& was = row->second.config;
  std::string in_sync, gone;
  std::uint32_t live = 0;
  for (const auto& store : was.in_sync()) {
    const bool is_live = view_.live(store) && !detector_.quarantined(NodeId(store.node()), recovery.partition);
    live += is_live ? 1 : 0;
    in_sync += (in_sync.empty() ? "" : ", ") + std::to_string(store.node());
    if (!is_live) gone += (gone.empty() ? "" : ", ") + std::to_string(store.node());
  }
  if (live >= was.min_isr())
    return Error{Errc::invalid_argument, name + " has as many copies in sync as it needs, at nodes " + in_sync +
                                             ": there is nothing to recover"};
  RowChange change;
  change.key = partition_key(recovery.partition);
  change.compared = row->second.revision;
  change.also = {{node_key(recovery.to), node->revision}};
  log::PartitionConfig next;
  next.set_epoch(std::max(was.epoch(), recovery.above.value) + 1);
  next.mutable_primary()->set_node(recovery.to.value);
  next.mutable_primary()->set_store_id(node->store.str());
  *next.add_in_sync() = next.primary();
  next.set_min_isr(1);
  next.set_recovered_epoch(next.epoch());
  next.add_replicas(recovery.to.value);
  for (const std::uint32_t replica : was.replicas())
    if (replica != recovery.to.value && view_.node(NodeId(replica)) != nullptr) next.add_replicas(replica);
  const std::uint64_t epoch = next.epoch();
  change.value = std::move(next);
  if (!queue_.add(std::move(change))) return Error{Errc::retry_later, "another change of " + name + " is under way"};
  happened(Happening::Kind::unsafe_recovered, recovery.to,
           name + " goes on in epoch " + std::to_string(epoch) + " with this copy alone, up to entry " +
               std::to_string(recovery.last.value) + ", as an operator asked; in sync were nodes " + in_sync +
               ", gone are " + (gone.empty() ? "none" : gone) + ": what only they had is lost",
           1);
  return Ok{};
}

}  // namespace holdfast::failover
