/// Connecting from an address of one's choice; without that wish, connect() in net/listener.h.
#pragma once

#include <chrono>
#include <string>

#include "net/listener.h"

namespace holdfast {

/// As connect(), from `source`, an address of this machine; empty: as the system likes. One that can't be had fails
/// with io.
Awaitable<Result<tcp::socket>> connect_from(std::string source, HostPort where, std::chrono::milliseconds time_max);

}  // namespace holdfast
