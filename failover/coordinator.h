/// Who watches over the others, and which of their partitions get a new primary (2.7, F1 to F4).
///
/// Sans-IO; owned by Controller, one on each node, though only the one that the row `coord` names decides. Thread: the
/// cluster thread. It proposes changes of rows; each compares the partition's revision, the registration of the chosen
/// node and the row `coord`, so that a deposed coordinator changes nothing.
/// Never fails. A copy that is quarantined is as good as lost for its partition, though its node lives: it keeps no lead and
/// gets none. Safe mode: it proposes nothing while less than a majority of the members is visible, or more than half of
/// them would lose their primaries at once.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "failover/cas_queue.h"
#include "failover/cluster_view.h"
#include "failover/detector.h"
#include "failover/flap_limits.h"

namespace holdfast::failover {

/// What a decision is taken on.
struct Situation {
  const ClusterView& view;
  const Detector& detector;
  const FlapLimits& flaps;
  const CasQueue& queue;
  SteadyTime now;
};

/// This node in this life.
struct Self {
  NodeId node;
  StoreId store;
  BootId boot;
};

bool same_store(const log::PartitionConfig::Store& a, const log::PartitionConfig::Store& b);
std::size_t primaries_of(const ClusterView& view, NodeId node);

class Coordinator {
 public:
  struct Options {
    std::chrono::milliseconds stagger{100};       ///< between one rank's try to take over and the next's
    std::chrono::milliseconds unregistered{500};  ///< a node that others hear may lack its row so long
  };
  Coordinator(Self self, Options options) : self_(self), options_(options) {}

  /// After each listing: notes in which life each primary leads, and since when rows are missing.
  void listed(const Situation& situation);

  bool leads(const ClusterView& view) const;
  /// Change of `coord` to ourselves, once there is reason and our turn has come.
  std::optional<RowChange> take_over(const Situation& situation, WallTime wall);
  /// New epochs for partitions whose primary is lost; of other partitions than those outstanding in the queue.
  std::vector<RowChange> promotions(const Situation& situation) const;
  /// F7: our own partitions that we led in an earlier life. Whoever coordinates; no safe mode: nobody is moved.
  std::vector<RowChange> own_new_epochs(const Situation& situation) const;

  /// Empty, or why nothing is decided now.
  std::string safe_mode(const Situation& situation) const;
  /// Its primaries must go elsewhere, and why; empty: it is all right.
  std::string lost(const Situation& situation, NodeId node) const;
  bool anybody_lost(const Situation& situation) const;

 private:
  std::string lost_primary(const Situation& situation, PartitionId partition, const log::PartitionConfig& config) const;
  bool cut_from_store(const Situation& situation, NodeId node) const;
  bool may_lead(const Situation& situation, PartitionId partition, const log::PartitionConfig::Store& store) const;
  const log::PartitionConfig::Store* choose(const Situation& situation, PartitionId partition,
                                            const log::PartitionConfig& config,
                                            const std::map<NodeId, std::size_t>& load) const;
  bool reason_to_take_over(const Situation& situation) const;
  std::size_t rank(const Situation& situation) const;

  const Self self_;
  const Options options_;
  bool first_listing_ = true;
  std::map<PartitionId, std::pair<Epoch, BootId>> led_in_;  ///< the life in which the primary got its epoch
  std::map<PartitionId, Epoch> earlier_life_;               ///< epochs that we led when we first looked
  std::map<NodeId, SteadyTime> missing_since_;              ///< rows of members
  std::optional<SteadyTime> reason_since_;
};

}  // namespace holdfast::failover
