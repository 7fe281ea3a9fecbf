/// Connecting from an address of one's choice; without that wish, connect() in net/listener.h.
#pragma once

#include <chrono>
#include <string>

#include "net/listener.h"

namespace holdfast {

/// As connect(), from `source`, an address of this machine; empty: as the system likes. One that can't be had fails
/// with io.
Awaitable<Result<tcp::socket>> connect_from(std::string source, HostPort where, std::chrono::milliseconds time_max);

/// Whether both ends are this one socket. Who tries a port of this machine again and again where nobody listens draws
/// that port as its own one day, and TCP opens a connection from both sides (RFC 9293, 3.5). It would take the port
/// from the server that is about to come back, so connect() takes it for a refusal.
bool is_connected_to_itself(const tcp::socket& socket);

}  // namespace holdfast
