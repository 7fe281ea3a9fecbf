/// What operators read: the cluster, a partition, events, as text. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "server/http/admin_figures.h"

namespace holdfast::ctl {

/// A cluster as one node tells it, and what its nodes say of their copies; who did not answer is left out.
struct Seen {
  http::ClusterFigures cluster;
  std::map<std::uint32_t, http::CopiesFigures> copies;  ///< by node
};

/// Entries that the node's copies are behind their primaries, the most of any partition; nothing if nobody told.
std::optional<std::uint64_t> lag_of(const Seen& seen, std::uint32_t node);
/// up, draining, drained, suspect, down.
std::string state_of(const http::ClusterFigures& cluster, const http::NodeFigures& node);
/// It is draining, leads nothing, and has no copy that another node could hold.
bool is_drained(const http::ClusterFigures& cluster, const http::NodeFigures& node);
/// How far a drain is.
std::string show_drain(const http::ClusterFigures& cluster, const http::NodeFigures& node);
/// "n2", or "node 2" if it has no name, or if nobody knows it.
std::string name_of(const http::ClusterFigures& cluster, std::uint32_t node);
/// By number or name. Fails with invalid_argument and says which nodes there are.
Result<http::NodeFigures> find_node(const http::ClusterFigures& cluster, std::string_view name);
/// What an operator should look at, a line each; empty: all is well.
std::vector<std::string> worries(const http::ClusterFigures& cluster);

std::string show_status(const Seen& seen, WallTime now, bool colour);
std::string show_partition(const http::ClusterFigures& cluster, const http::PartitionDetail& at_primary, bool colour);
/// One line each: time, what, about whom, decided by whom, evidence.
std::string show_event(const http::ClusterFigures& cluster, const http::EventFigures& event, bool colour);
/// 90 s, 12 min, 3 h, 5 d.
std::string show_duration(std::chrono::milliseconds time);

}  // namespace holdfast::ctl
