/// Which nodes a session goes to, in which order: rendezvous hashing (Thaler and Ravishankar 1998, with weights as in
/// Schindelhauer and Schomaker 2005). Pure.
///
/// Every node of the cluster that knows the same nodes ranks a session alike, without asking anybody. A session's order
/// of any two nodes depends on these two alone: when a node goes, only its own sessions move, each to its next choice,
/// which is spread evenly over the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"

namespace holdfast::gateway {

/// A node that takes clients.
struct NodeEndpoint {
  NodeId id;
  std::string address;       ///< host:port, as clients reach it
  std::uint32_t weight = 1;  ///< its share; 0: nobody is to go there (it leaves, say)
  friend bool operator==(const NodeEndpoint&, const NodeEndpoint&) = default;
};

inline constexpr std::size_t kEndpointsMax = 3;

/// The best `most` for this session, the best first. Nodes without weight or address are left out.
std::vector<NodeEndpoint> rank_endpoints(const SessionId& session, const std::vector<NodeEndpoint>& nodes,
                                         std::size_t most = kEndpointsMax);

}  // namespace holdfast::gateway
