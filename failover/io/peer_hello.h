/// Whom a node talks to: what the first frame of a connection must say. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "failover/in_sync_set.h"
#include "proto/peer.pb.h"

namespace holdfast::failover {

inline constexpr std::uint32_t kPeerProtocol = 1;
inline constexpr std::chrono::milliseconds kClockOffMax{10'000};

/// Nothing if `theirs` is the Hello of another node of our cluster; else what is wrong, with both values, and what to
/// do: for the logs of both. `expected`: who should be at the address that we dialled. `own` is checked at the start,
/// not here; its time is `now`.
std::optional<std::string> why_refused(const peer::Hello& own, const peer::Hello& theirs, WallTime now,
                                       std::optional<NodeId> expected = std::nullopt);

/// The node by the disk it has. Of a Hello that was not refused.
Member member_of(const peer::Hello& hello);

/// Text from elsewhere, fit for a line of the log: printable, at most 400 characters, no quotation marks.
std::string for_log(std::string_view text);

}  // namespace holdfast::failover
