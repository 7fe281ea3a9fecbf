/// A node that leaves offers the lead of its partitions to others, a few at a time.
///
/// Sans-IO; owned by Cluster while it lasts. Thread: the cluster's. Who was offered one is asked to take it; who did not
/// within a second is asked again, or another is.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "failover/reconfiguration.h"

namespace holdfast {

class HandOver {
 public:
  using Rows = std::map<PartitionId, failover::PartitionRow>;

  explicit HandOver(SteadyTime until) : until_(until) {}

  struct Offer {
    PartitionId partition;
    Epoch epoch;
    NodeId heir;
  };
  using CanTake = std::function<bool(NodeId, PartitionId)>;
  /// `serves`: the epoch of each partition under which it is served here, 0: it is not. `can_take`: the node can be
  /// reached and stays, and its copy is sound.
  std::vector<Offer> next(const std::vector<Epoch>& serves, const Rows& rows, const CanTake& can_take, SteadyTime now);
  /// Of the last next(): partitions that are still served here.
  std::size_t left() const { return left_; }
  bool is_over(SteadyTime now) const { return left_ == 0 || now >= until_; }

 private:
  struct Asked {
    SteadyTime at;
    NodeId heir;
  };
  std::optional<NodeId> heir_of(PartitionId partition, const Rows& rows, const CanTake& can_take) const;

  const SteadyTime until_;
  std::map<PartitionId, Asked> asked_;
  std::size_t left_ = 0;
};

}  // namespace holdfast
