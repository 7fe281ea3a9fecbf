/// Whether a newcomer can be reached where it says it can. Its Hello names its own address before it joins; who is asked
/// dials that, and wants the same process to greet it there.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "failover/io/peer_shared.h"

namespace holdfast::failover {

/// For all of it. The newcomer's patience is longer.
inline constexpr std::chrono::milliseconds kDialBackMax{4'000};

/// Nothing if it can; else why not, and what to do, for the newcomer's eyes. `shared` outlives it.
Awaitable<std::optional<std::string>> why_out_of_reach(PeerShared& shared, peer::Hello newcomer);

}  // namespace holdfast::failover
