/// Who must have an entry before it counts as committed.
///
/// Sans-IO value; owned by Replica, for the epoch it leads. Thread: the partition's worker. Misuse is a bug and CHECKs.
/// Invariants: commit_point() never goes back (I4); it is the smallest durable sequence over all members (W5), and stands
/// still while there are fewer than min_in_sync of them.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace holdfast::failover {

/// A node by the disk it writes to: a node that lost its disk is somebody else (I12).
struct Member {
  NodeId node;
  StoreId store;
  friend bool operator==(const Member&, const Member&) = default;
};

class InSyncSet {
 public:
  InSyncSet(std::vector<Member> members, std::uint32_t min_in_sync);

  /// `member` has everything up to `seq` in a synced log.
  void durable(const Member& member, Seq seq);
  Seq commit_point() const { return commit_point_; }
  bool large_enough() const { return progress_.size() >= min_in_sync_; }
  std::size_t size() const { return progress_.size(); }

 private:
  struct Progress {
    Member member;
    Seq durable;
  };
  std::vector<Progress> progress_;
  const std::uint32_t min_in_sync_;
  Seq commit_point_;
};

}  // namespace holdfast::failover
