/// One client that means no good, again and again until it is told to stop. Speaks in plain bytes, without the library.
#pragma once

#include <string>

#include "net/asio.h"
#include "net/tls.h"
#include "tools/holdfast-load/workplace.h"

namespace holdfast::load {

/// What the attackers of one process share. Owned by the scenario, outlives them.
struct Attack {
  Workplace* place;
  std::string token;              ///< of the session that all of them resume (kind "token")
  std::optional<TlsContext> tls;  ///< to begin handshakes with (kind "half-open")
  bool stop = false;
};

/// Attempts one after the other: attempts, answered (the server said something that is no refusal), denied (it refused
/// with words) and closed (it hung up) are counted. Ends soon after attack->stop.
Awaitable<void> run_attacker(Attack* attack, std::uint64_t index);

/// Whether there is such a kind of attacker: half-open, silent, slow, passwords, token. (history is one of sessions, in
/// hostile.cc.)
bool is_attacker_kind(const std::string& kind);

}  // namespace holdfast::load
