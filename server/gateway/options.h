/// Bounds and times of the front door, all configurable. Plain values; what they do when reached stands at each.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "net/trusted_proxies.h"

namespace holdfast::gateway {

/// A sustained rate and how much may come at once: `per_second` refills, one second's worth may be saved up.
struct Rates {
  std::uint64_t frames_per_s;    ///< everything that arrives, pings too
  std::uint64_t bytes_per_s;     ///< of frames
  std::uint64_t requests_per_s;  ///< what asks the server to do something
};

/// Of one conversation with one client.
struct SessionOptions {
  std::chrono::milliseconds hello_max{10'000};   ///< from accept to Hello; later: closed
  std::chrono::milliseconds login_max{60'000};   ///< from accept to a log-in; later: closed
  std::chrono::seconds keepalive{60};            ///< told to clients; silent for twice of it: closed
  std::chrono::milliseconds confirm_max{800};    ///< a partition silent this long: its users' commands are held back
  std::size_t requests_max = 256;                ///< under way on a connection; beyond it reading pauses
  std::size_t output_bytes_max = 256 << 10;      ///< not yet taken by the socket; beyond it reading pauses
  std::size_t inbox_credit_bytes = 256 << 10;    ///< deliveries under way to a connection; beyond it: behind
  std::uint32_t frame_bytes_max = 128 << 10;     ///< told to clients; a larger one is answered TOO_LARGE and closed
  std::chrono::milliseconds retry_after{1'000};  ///< the hint that goes with RETRY
  Rates connection{10'000, 32 << 20, 5'000};
};

/// Of one worker's front door.
struct GatewayOptions {
  SessionOptions session;
  Rates user{20'000, 64 << 20, 10'000};               ///< over all connections of a user to this node
  bool allow_plaintext = false;                       ///< off: plain text is refused but on loopback
  TrustedProxies proxies{};                           ///< whom they name is who came, over WebSocket
  std::chrono::milliseconds write_stall_max{30'000};  ///< nothing taken by the socket for this long: dropped
  std::chrono::milliseconds tick{100};                ///< one timer for all connections of a worker
  bool own_timer = true;                              ///< off: the owner calls tick(), for tests
  std::chrono::milliseconds endpoints_spread{3'000};  ///< a change of nodes is told to all sessions within this
  std::size_t connections_max = 0;                    ///< of the process; 0: what open files and memory allow
  std::size_t handshakes_waiting_max = 1'000;         ///< TLS handshakes that wait for their turn; more: closed at once
  std::chrono::milliseconds accept_wait_max{400};     ///< who would wait longer to be accepted is told RETRY
};

/// How a node is left.
struct DrainOptions {
  std::chrono::milliseconds retry_after{1'000};  ///< the hint in Goodbye to those who have nowhere else to go
  std::chrono::milliseconds deadline{20'000};    ///< what is left then is closed hard
  /// Told to move, a second: this share of the sessions or this many, whichever is more.
  double share_per_s = 0.05;
  double sessions_per_s = 50;
  std::chrono::milliseconds delay_max{1'000};    ///< each moves after a random part of this
  std::chrono::milliseconds leave_after{5'000};  ///< and who is still here so long after that gets Goodbye
};

}  // namespace holdfast::gateway
