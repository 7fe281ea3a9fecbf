/// How a data directory becomes part of a cluster: it finds the cluster in the shared configuration store, or founds it,
/// and gets its node id. What it belongs to is noted in its own log database first, synced: from then on its embedded
/// store is never used again, and every step can be done again after a crash.
///
/// Blocking, single-threaded, before the node serves. Errors say what was found and what to do; nothing is changed then.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/random.h"
#include "failover/config_store.h"
#include "server/chat/tokens.h"

namespace holdfast {

struct Membership {
  std::string cluster_uuid;
  std::uint16_t partitions;
  NodeId node;
  bool founder;  ///< its data is what the cluster begins with
};

struct JoinRequest {
  std::string node_name;
  std::uint16_t partitions;  ///< as configured
  bool has_data;             ///< its own log has entries
  WallTime now;
  bool accept_older_store = false;  ///< an empty store may be founded anew by who founded it before
  /// Shows this node to those that run, by address, before a newcomer writes anything; its error ends the attempt.
  std::function<Status(const std::string& cluster_uuid, const std::map<NodeId, std::string>& running)> greet = {};
};

/// The cluster that the data in this store belongs to; empty: none.
Result<std::string> cluster_of(failover::ConfigStore& own);

/// Founds: whoever comes to an empty store; with data of its own it brings the data, ids and keys along. Joins: an empty
/// data directory, or one that belongs to this cluster already. A name of a member that is not running is taken over,
/// with its node id: a node whose disk was lost comes back as a stranger under its name.
Result<Membership> join_cluster(failover::ConfigStore& cluster, failover::ConfigStore& own, const JoinRequest& request,
                                Random& random);

}  // namespace holdfast
