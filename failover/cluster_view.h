/// What the configuration store says about the cluster, as last listed.
///
/// Sans-IO value; owned by Controller. Thread: the cluster thread.
/// Fails closed: a row that does not parse, or that is older than what was seen of it, is named in a problem and what was
/// known before stays. A partition's row that is missing stays too, and so does a member's while a partition names it:
/// absence never authorises deletion (I13). A listing older than one seen is not taken at all (I2).
/// Invariant: a partition's epoch and revision, and the revision of the whole, never go back.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "failover/boot_id.h"
#include "failover/config_store.h"
#include "failover/reconfiguration.h"
#include "failover/store_floor.h"

namespace holdfast::failover {

/// node/<id>: a process that holds its lease.
struct NodeEntry {
  log::NodeRow row;
  std::uint64_t revision = 0;
  StoreId store;
  BootId boot;
};

/// member/<id>
struct MemberEntry {
  log::MemberRow row;
  std::uint64_t revision = 0;
};

/// coord
struct CoordinatorEntry {
  log::CoordinatorRow row;
  std::uint64_t revision = 0;
  NodeId node;
  BootId boot;
};

std::string partition_key(PartitionId partition);
std::string node_key(NodeId node);
std::string member_key(NodeId node);
inline constexpr const char* kCoordinatorKey = "coord";

class ClusterView {
 public:
  ClusterView() = default;
  explicit ClusterView(const StoreFloor& floor) : revision_(floor.revision), floor_epochs_(floor.epochs) {}

  struct Taken {
    bool refused = false;                 ///< the listing is older than what was seen: nothing of it was taken
    std::vector<PartitionId> partitions;  ///< whose row changed
    std::vector<std::string> problems;    ///< that were not there at the listing before; each names its row
  };
  Taken take(const ConfigRows& listed);

  bool listed() const { return listed_; }
  /// The last listing was refused: nothing may be decided on what we know.
  bool went_back() const { return went_back_; }
  std::uint64_t revision() const { return revision_; }
  /// What is to be kept for the next life of this node.
  StoreFloor floor() const;
  const std::set<std::string>& problems() const { return problems_; }

  const std::map<PartitionId, PartitionRow>& partitions() const { return partitions_; }
  const std::map<NodeId, NodeEntry>& nodes() const { return nodes_; }
  const std::map<NodeId, MemberEntry>& members() const { return members_; }
  const std::optional<CoordinatorEntry>& coordinator() const { return coordinator_; }

  const NodeEntry* node(NodeId id) const;
  /// Registered, with the very store that `store` names (I12).
  bool live(const log::PartitionConfig::Store& store) const;

 private:
  void take_partitions(const ConfigRows& listed, Taken& taken, std::set<std::string>& problems);
  void take_nodes(const ConfigRows& listed, std::set<std::string>& problems);
  void take_members(const ConfigRows& listed, std::set<std::string>& problems);
  void take_coordinator(const ConfigRows& listed, std::set<std::string>& problems);
  bool named_by_a_partition(NodeId node) const;
  std::string older_than_seen(const ConfigRows& listed) const;

  bool listed_ = false;
  bool went_back_ = false;
  std::uint64_t revision_ = 0;
  std::map<PartitionId, std::uint64_t> floor_epochs_;  ///< of earlier lives of this node
  std::map<PartitionId, PartitionRow> partitions_;
  std::map<NodeId, NodeEntry> nodes_;
  std::map<NodeId, MemberEntry> members_;
  std::optional<CoordinatorEntry> coordinator_;
  std::set<std::string> problems_;
};

}  // namespace holdfast::failover
