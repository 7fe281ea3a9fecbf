#include "failover/placement.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <tuple>

namespace holdfast::failover {
namespace {

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

/// Copies under construction: who holds what, how much each node has.
class Copies {
 public:
  explicit Copies(const PlacementInput& input) : input_(input) {
    for (const auto& [id, node] : input.nodes)
      if (node.may_hold) load_[id] = 0;
    wanted_ = std::min(input.copies, load_.size());
    for (const auto& [id, partition] : input.partitions) keep(id, partition);
    for (const auto& [id, partition] : input.partitions) fill(id);
    for (const auto& [id, partition] : input.partitions) spread(id);
    while (even_out()) {
    }
  }

  std::map<PartitionId, std::vector<NodeId>> result() const {
    std::map<PartitionId, std::vector<NodeId>> result;
    for (const auto& [id, nodes] : held_) {
      std::vector<NodeId> sorted(nodes.begin(), nodes.end());
      for (const NodeId old : input_.partitions.at(id).replicas) {  // nobody can take it from whoever should give it up
        if (sorted.size() >= input_.copies) break;
        if (!contains(sorted, old) && input_.nodes.contains(old)) sorted.push_back(old);
      }
      std::sort(sorted.begin(), sorted.end());
      result.emplace(id, std::move(sorted));
    }
    return result;
  }

 private:
  const std::string& zone(NodeId node) const { return input_.nodes.at(node).zone; }

  std::size_t in_zone(PartitionId partition, const std::string& name) const {
    const auto& nodes = held_.at(partition);
    return static_cast<std::size_t>(
        std::count_if(nodes.begin(), nodes.end(), [&](NodeId node) { return zone(node) == name; }));
  }

  /// Those that may stay, the best of them first: copies in sync, then one for each zone.
  void keep(PartitionId id, const PlacementPartition& partition) {
    held_[id];
    std::vector<NodeId> candidates;
    for (const NodeId node : partition.replicas)
      if (load_.contains(node) && !contains(candidates, node)) candidates.push_back(node);
    while (held_.at(id).size() < wanted_ && !candidates.empty()) {
      const auto best = std::min_element(candidates.begin(), candidates.end(), [&](NodeId a, NodeId b) {
        const auto rank = [&](NodeId n) {
          return std::tuple(in_zone(id, zone(n)), n != partition.primary, !contains(partition.in_sync, n), n);
        };
        return rank(a) < rank(b);
      });
      give(id, *best);
      candidates.erase(best);
    }
  }

  void fill(PartitionId id) {
    while (held_.at(id).size() < wanted_) {
      std::optional<std::tuple<std::size_t, std::size_t, NodeId>> best;
      for (const auto& [node, load] : load_) {
        if (held_.at(id).contains(node)) continue;
        const std::tuple rank{in_zone(id, zone(node)), load, node};
        if (!best || rank < *best) best = rank;
      }
      give(id, std::get<NodeId>(*best));
    }
  }

  /// Moves copies out of a zone that has at least two more of this partition than another with a free node.
  void spread(PartitionId id) {
    for (bool moved = true; moved;) {
      moved = false;
      for (const NodeId from : worst_first(id)) {
        std::optional<std::pair<std::tuple<std::size_t, std::size_t, NodeId>, NodeId>> best;
        for (const auto& [node, load] : load_) {
          if (held_.at(id).contains(node) || in_zone(id, zone(node)) + 2 > in_zone(id, zone(from))) continue;
          const std::tuple rank{in_zone(id, zone(node)), load, node};
          if (!best || rank < best->first) best.emplace(rank, node);
        }
        if (!best) continue;
        move(id, from, best->second);
        moved = true;
        break;
      }
    }
  }

  /// What is cheapest to give up first: not in sync, then not the primary.
  std::vector<NodeId> worst_first(PartitionId id) const {
    const PlacementPartition& partition = input_.partitions.at(id);
    std::vector<NodeId> nodes(held_.at(id).begin(), held_.at(id).end());
    std::sort(nodes.begin(), nodes.end(), [&](NodeId a, NodeId b) {
      const auto rank = [&](NodeId n) { return std::tuple(n == partition.primary, contains(partition.in_sync, n), n); };
      return rank(a) < rank(b);
    });
    return nodes;
  }

  /// One move from a node to another that has at least two fewer, where no zone gets worse. False if there is none.
  bool even_out() {
    std::vector<std::pair<std::size_t, NodeId>> by_load;
    for (const auto& [node, load] : load_) by_load.emplace_back(load, node);
    std::sort(by_load.begin(), by_load.end());
    for (auto from = by_load.rbegin(); from != by_load.rend(); ++from) {
      for (const auto& [load, to] : by_load) {
        if (load + 2 > from->first) break;
        if (const auto partition = movable(from->second, to)) {
          move(*partition, from->second, to);
          return true;
        }
      }
    }
    return false;
  }

  /// The partition whose copy is cheapest to move from one to the other.
  std::optional<PartitionId> movable(NodeId from, NodeId to) const {
    std::optional<std::pair<int, PartitionId>> best;
    for (const auto& [id, nodes] : held_) {
      if (!nodes.contains(from) || nodes.contains(to)) continue;
      if (zone(from) != zone(to) && in_zone(id, zone(to)) + 1 > in_zone(id, zone(from))) continue;
      const PlacementPartition& partition = input_.partitions.at(id);
      const bool new_here = !contains(partition.replicas, from);
      const int cost = new_here ? 0 : partition.primary == from ? 3 : contains(partition.in_sync, from) ? 2 : 1;
      if (!best || cost < best->first) best.emplace(cost, id);
    }
    if (!best) return std::nullopt;
    return best->second;
  }

  void give(PartitionId id, NodeId node) {
    held_[id].insert(node);
    ++load_.at(node);
  }
  void move(PartitionId id, NodeId from, NodeId to) {
    held_.at(id).erase(from);
    --load_.at(from);
    give(id, to);
  }

  const PlacementInput& input_;
  std::size_t wanted_ = 0;
  std::map<NodeId, std::size_t> load_;
  std::map<PartitionId, std::set<NodeId>> held_;
};

/// Leaders under construction: moved along chains of partitions until no chain makes the load more even.
class Leaders {
 public:
  explicit Leaders(const PlacementInput& input) : input_(input) {
    for (const auto& [id, node] : input.nodes)
      if (node.may_lead) load_[id] = 0;
    for (const auto& [id, partition] : input.partitions) begin(id, partition);
    while (even_out()) {
    }
  }
  std::map<PartitionId, NodeId> result() && { return std::move(leader_); }

 private:
  bool may_lead(const PlacementPartition& partition, NodeId node) const {
    return load_.contains(node) && !contains(partition.unfit, node);
  }

  void begin(PartitionId id, const PlacementPartition& partition) {
    std::optional<NodeId> best;
    for (const NodeId node : partition.in_sync) {
      if (!may_lead(partition, node)) continue;
      if (node == partition.primary) {
        best = node;
        break;
      }
      if (!best || load_.at(node) < load_.at(*best)) best = node;
    }
    leader_[id] = best.value_or(partition.primary);  // nobody else can: it stays
    if (best) ++load_.at(*best);
  }

  /// Shifts one partition's worth of load along the shortest chain that ends at a node with two fewer.
  bool even_out() {
    std::vector<std::pair<std::size_t, NodeId>> by_load;
    for (const auto& [node, load] : load_) by_load.emplace_back(load, node);
    std::sort(by_load.rbegin(), by_load.rend());
    for (const auto& [load, from] : by_load)
      if (load >= 2 && shift_from(from, load - 2)) return true;
    return false;
  }

  bool shift_from(NodeId from, std::size_t load_max) {
    std::map<NodeId, std::pair<PartitionId, NodeId>> reached_by;  ///< node <- (partition, who leads it)
    std::deque<NodeId> queue{from};
    while (!queue.empty()) {
      const NodeId at = queue.front();
      queue.pop_front();
      if (at != from && load_.at(at) <= load_max) {
        shift(from, at, reached_by);
        return true;
      }
      for (const auto& [id, leader] : leader_) {
        if (leader != at) continue;
        for (const NodeId next : input_.partitions.at(id).in_sync) {
          if (next == from || !may_lead(input_.partitions.at(id), next) || reached_by.contains(next)) continue;
          reached_by.emplace(next, std::pair(id, at));
          queue.push_back(next);
        }
      }
    }
    return false;
  }

  void shift(NodeId from, NodeId to, const std::map<NodeId, std::pair<PartitionId, NodeId>>& reached_by) {
    --load_.at(from);
    ++load_.at(to);
    while (to != from) {
      const auto& [partition, before] = reached_by.at(to);
      leader_[partition] = to;
      to = before;
    }
  }

  const PlacementInput& input_;
  std::map<NodeId, std::size_t> load_;
  std::map<PartitionId, NodeId> leader_;
};

}  // namespace

std::map<PartitionId, std::vector<NodeId>> place_copies(const PlacementInput& input) { return Copies(input).result(); }

std::map<PartitionId, NodeId> place_leaders(const PlacementInput& input) { return Leaders(input).result(); }

}  // namespace holdfast::failover
