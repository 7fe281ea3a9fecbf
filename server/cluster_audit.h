/// The cluster's coordinator notes in the audit journal (of partition 0) what happened to nodes and partitions.
///
/// Owned by Node, outlives the engine's threads. look() about once a second; the rest runs on the cluster's thread.
/// Lines are written at least once: a coordinator that takes over tells again what happened in the seconds before.
#pragma once

#include <cstdint>

#include "server/engine.h"

namespace holdfast {

class ClusterAudit {
 public:
  explicit ClusterAudit(Engine& engine) : engine_(engine) {}
  /// Nothing where there is no cluster.
  void look();

 private:
  void tell(const failover::Controller& controller);

  Engine& engine_;
  bool coordinates_ = false;  ///< the cluster's thread, as of the last look
  std::uint64_t told_ = 0;    ///< the cluster's thread: number of the last happening that was looked at
};

}  // namespace holdfast
