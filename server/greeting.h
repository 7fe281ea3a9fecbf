/// A node that is about to join shows itself to the members that run, before anything is written anywhere: a certificate
/// that is not believed, a clock that is off, or an address at which it can't be reached, is an error of the start then,
/// and not of every link later on.
///
/// Blocking, for kGreetingMax at most; any thread; leaves nothing behind.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "failover/io/peer_links.h"

namespace holdfast {

inline constexpr std::chrono::seconds kGreetingMax{8};

/// What others are to dial once the node listens on this port: HOST:PORT.
using AddressOn = std::function<std::string(std::uint16_t port)>;

/// Fails with permission_denied and what the first of them says against it, as soon as one does; with retry_later if none of
/// them can be reached; as Listener::open does. Fine once one of them greets it, and where nobody is registered. With
/// `own_address` it listens meanwhile, and whoever greets it has dialled it there; a member at that address is left out.
Status greet_members(const failover::PeerLinksOptions& links, std::map<NodeId, HostPort> members,
                     const AddressOn& own_address = {});

}  // namespace holdfast
