/// Which nodes should hold each partition, and which of them should lead it.
///
/// Pure functions: the same input gives the same answer on every node. Copies stay where they are unless moving one makes
/// the spread over zones better, or the load of nodes more even, by more than the move itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ids.h"

namespace holdfast::failover {

struct PlacementNode {
  std::string zone;      ///< empty: no zones
  bool may_hold = true;  ///< false: draining, or down for long
  bool may_lead = true;  ///< false: draining, down, slow, full, held back
};

struct PlacementPartition {
  std::vector<NodeId> replicas;
  std::vector<NodeId> in_sync;
  NodeId primary;
  std::vector<NodeId> unfit{};  ///< whose copies are not to lead, though in sync: quarantined
};

struct PlacementInput {
  std::map<NodeId, PlacementNode> nodes;
  std::map<PartitionId, PlacementPartition> partitions;
  std::size_t copies = 3;
};

/// For each partition min(copies, nodes that may hold) different nodes, sorted. Where fewer may hold than copies are
/// wanted, nodes that should give theirs up keep them.
std::map<PartitionId, std::vector<NodeId>> place_copies(const PlacementInput& input);

/// For each partition the one of its in-sync nodes that should lead: as even as those sets allow, the present primary
/// where that is as good as any.
std::map<PartitionId, NodeId> place_leaders(const PlacementInput& input);

}  // namespace holdfast::failover
