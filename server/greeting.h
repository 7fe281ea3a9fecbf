/// A node that is about to join shows itself to the members that run, before anything is written anywhere: a certificate
/// that is not believed, or a clock that is off, is an error of the start then, and not of every link later on.
///
/// Blocking, for kGreetingMax at most; any thread; leaves nothing behind.
#pragma once

#include <chrono>
#include <map>

#include "failover/io/peer_links.h"

namespace holdfast {

inline constexpr std::chrono::seconds kGreetingMax{3};

/// Fails with permission_denied and what the first of them says against it, as soon as one does; with retry_later if none of
/// them can be reached. Fine once one of them greets it, and where nobody is registered.
Status greet_members(const failover::PeerLinksOptions& links, const std::map<NodeId, HostPort>& members);

}  // namespace holdfast
