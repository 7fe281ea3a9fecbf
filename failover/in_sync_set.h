/// Who must have an entry before it counts as committed.
///
/// Sans-IO value; owned by Replica, for the epoch it leads. Thread: the partition's worker. Misuse is a bug and CHECKs.
///
/// What counts is the union of the set in the configuration store and of one that was proposed and may still take effect
/// (W5, 2.6, T1, T2): a member leaves it only when the store is known to have changed.
/// Invariants: commit_point() never goes back (I4); it is the smallest durable sequence over all who count, and stands
/// still while the store's set has fewer than min_in_sync members.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace holdfast::failover {

/// A node by the disk it writes to: a node that lost its disk is somebody else (I12).
struct Member {
  NodeId node;
  StoreId store;
  friend auto operator<=>(const Member&, const Member&) = default;
};

class InSyncSet {
 public:
  InSyncSet(std::vector<Member> members, std::uint32_t min_in_sync);

  /// Before the compare-and-swap is sent: from now on these count as well.
  void propose(const std::vector<Member>& wanted);
  /// The store has this set, and no proposal can take effect any more.
  void settle(std::vector<Member> members, std::uint32_t min_in_sync);

  /// `member`, who need not count (yet), has everything up to `seq` in a synced log.
  void durable(const Member& member, Seq seq);
  Seq commit_point() const { return commit_point_; }

  bool counts(const Member& member) const;
  /// All who count.
  std::vector<Member> all() const;
  const std::vector<Member>& stored() const { return stored_; }
  std::uint32_t min_in_sync() const { return min_in_sync_; }
  bool large_enough() const { return stored_.size() >= min_in_sync_; }

 private:
  void advance();

  std::vector<Member> stored_;
  std::vector<Member> proposed_;
  std::uint32_t min_in_sync_;
  struct Progress {
    Member member;
    Seq durable;
  };
  std::vector<Progress> progress_;
  Seq commit_point_;
};

}  // namespace holdfast::failover
