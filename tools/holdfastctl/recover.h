/// `holdfastctl unsafe-recover`: goes on with one copy of a partition when too many of those that had everything are gone
/// for good. What it would do is a plan, made of what the nodes tell; pure.
#pragma once

#include <string>
#include <vector>

#include "tools/holdfastctl/show.h"

namespace holdfast::ctl {

/// One partition to be recovered.
struct Recovery {
  std::uint32_t partition = 0;
  std::uint32_t to = 0;        ///< the node with the longest copy that answers
  std::uint64_t epoch = 0;     ///< the highest that any of them promised
  std::uint64_t last_seq = 0;  ///< of that copy
  bool was_in_sync = false;    ///< then it has everything that was acknowledged
  std::vector<std::uint32_t> in_sync, missing;
};

struct RecoveryPlan {
  std::vector<Recovery> recoveries;
  std::vector<std::string> refused;  ///< partitions that were asked for and can't be, or need not be, with the reason
};

/// `all`: every partition that can't take writes because of copies that are gone. Otherwise this one.
RecoveryPlan plan_recovery(const Seen& seen, bool all, std::uint32_t partition);
std::string show_plan(const http::ClusterFigures& cluster, const RecoveryPlan& plan);

}  // namespace holdfast::ctl
