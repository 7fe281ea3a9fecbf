/// What nodes tell over their admin pages, read back from JSON. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/admin_figures.h"

namespace holdfast::ctl {

/// Fail with corrupt, naming what is missing or of another kind.
Result<http::ClusterFigures> parse_cluster(std::string_view json);
Result<http::CopiesFigures> parse_copies(std::string_view json);
Result<http::PartitionDetail> parse_partition(std::string_view json);
Result<http::EventsFigures> parse_events(std::string_view json);
Result<http::AuditFigures> parse_audit(std::string_view json);
/// What a node said of the cluster (parse_cluster took it), with "lag" in each of its nodes: a number, or null where it is
/// not among `lags`. Whatever else the node said stays, also what this version does not know.
std::string with_lags(std::string_view cluster, const std::map<std::uint32_t, std::uint64_t>& lags);
/// One line, for programs; without the bytes that only verifying needs.
std::string audit_json(std::uint32_t partition, const http::AuditFigures::Line& line);
/// One line.
std::string event_json(const http::EventFigures& event);
/// The message of a node's error answer; nothing: that is none.
std::optional<std::string> parse_error(std::string_view json);

}  // namespace holdfast::ctl
