/// The coordinator's steady work: enough copies, min_isr raised once there are, primaries spread, draining nodes emptied.
///
/// Sans-IO; owned by Controller, used while this node coordinates. Thread: the cluster thread. Never fails: what it
/// proposes is compared, what it asks of a primary may be ignored, and each pass looks at everything again.
/// Nothing is deleted because a node is absent: a copy goes only when all wanted ones are in sync without it (I13), and
/// never below min_isr (I7); min_isr is never lowered.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "failover/coordinator.h"
#include "failover/placement.h"

namespace holdfast::failover {

/// Asks the partition's primary `from` to give it to `to`.
struct HandoffOrder {
  PartitionId partition;
  Epoch epoch;
  NodeId from;
  NodeId to;
};

class Balancer {
 public:
  struct Options {
    std::size_t copies = 3;
    std::uint32_t min_in_sync = 2;  ///< once there are more members than this, and so many in sync
    std::chrono::milliseconds replace_after =
        std::chrono::minutes(10);                                    ///< T_repl: a node down so long loses its copies
    std::chrono::milliseconds cool_down = std::chrono::seconds(10);  ///< after a failover no primary moves for evenness
    std::chrono::milliseconds slow_for = std::chrono::seconds(30);   ///< a node that was slow gets no primaries so long
    std::chrono::milliseconds clock_offset_max = std::chrono::seconds(10);
    std::chrono::milliseconds pass{100};
    std::chrono::milliseconds handoff_patience{2000};
    std::size_t handoffs_at_once = 4;  ///< for evenness, one from each node
    std::size_t leaving_at_once = 16;  ///< from nodes that are to lead nothing: a slow disk makes each one slow
    std::size_t fills_at_once = 16;    ///< copies that a node is filling
  };
  struct Plan {
    std::vector<RowChange> changes;
    std::vector<HandoffOrder> handoffs;
    std::vector<NodeId> drained;  ///< since the last pass
  };
  explicit Balancer(Options options) : options_(options) {}

  /// A pass, if one is due.
  Plan plan(const Situation& situation, const Coordinator& coordinator);
  void failed_over(SteadyTime now) { cool_until_ = now + options_.cool_down; }
  void rebalance() { cool_until_ = {}; }
  bool busy() const { return !handing_off_.empty() || filling_; }

 private:
  struct HandingOff {
    Epoch epoch;
    NodeId from;
    SteadyTime at;
  };
  PlacementInput look(const Situation& situation, const Coordinator& coordinator);
  bool well(const Situation& situation, NodeId node);
  bool clock_off(const Situation& situation, NodeId node) const;
  void plan_copies(const Situation& situation, const PlacementInput& input, Plan& plan);
  void plan_handoffs(const Situation& situation, const PlacementInput& input, Plan& plan);
  void note_drained(const Situation& situation, Plan& plan);

  const Options options_;
  SteadyTime next_pass_{};
  SteadyTime cool_until_{};
  bool filling_ = false;
  std::map<NodeId, SteadyTime> down_since_;
  std::map<NodeId, SteadyTime> slow_until_;
  std::map<PartitionId, HandingOff> handing_off_;
  std::map<PartitionId, std::vector<NodeId>> wanted_;
  std::set<NodeId> drained_;
};

}  // namespace holdfast::failover
