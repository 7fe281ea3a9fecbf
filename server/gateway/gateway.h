/// One worker's front door: accepts clients, tells what they speak, and carries frames between sockets and sessions.
///
/// Owned by the worker; constructed, used and destroyed on its thread, or while that thread does not run. Neither a
/// socket, a session nor a callback leaves this thread. What goes wrong on one connection ends that connection only.
/// Once something was accepted, it may only be destroyed after drain() has called back.
/// Memory for one connection: at most output_bytes_max + inbox_credit_bytes + frames under way outwards, twice
/// frame_bytes_max of an unfinished frame, and one read of 64 KiB while reading is paused; idle, less than 1 KiB without
/// TLS.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/asio.h"
#include "net/listener.h"
#include "net/tls.h"
#include "server/chat/attachment.h"
#include "server/chat/backend.h"
#include "server/gateway/endpoints.h"
#include "server/gateway/options.h"

namespace holdfast::gateway {

class Admission;

/// What a gateway works with. References outlive it.
struct GatewayParts {
  chat::Backend& backend;          ///< this worker's
  chat::Attachments& attachments;  ///< this worker's
  Admission& admission;            ///< the process's: one for all workers
  std::optional<TlsContext> tls;   ///< without: TLS is refused
  std::function<SteadyTime()> clock = steady_now;
};

/// Counted since the start, but for what is open now.
struct GatewayFigures {
  std::uint64_t connections = 0;                                                        ///< open now
  std::uint64_t sessions = 0;                                                           ///< of them logged in
  std::uint64_t connections_plain = 0, connections_tls = 0, connections_websocket = 0;  ///< opened, by what they speak
  std::uint64_t frames_in = 0, frames_out = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t writes = 0;        ///< system calls; frames_out / writes tells how well output is coalesced
  std::uint64_t requests = 0;      ///< handed to the backend
  std::uint64_t held_back = 0;     ///< pauses because a partition did not confirm its sessions
  std::uint64_t rate_limited = 0;  ///< frames answered RATE_LIMITED
  std::uint64_t refused_full = 0, refused_plaintext = 0, refused_garbage = 0, refused_stopped = 0, refused_tls = 0;
  std::uint64_t refused_busy = 0;        ///< would have waited too long to be accepted, or for a TLS handshake
  std::uint64_t refused_gone = 0;        ///< had hung up before it was their turn
  std::uint64_t waiting = 0;             ///< to be accepted, when that was looked at last
  std::uint64_t accept_us = 0;           ///< what each took when a crowd came last, in microseconds
  std::uint64_t accept_wait_max_us = 0;  ///< who would wait longer is sent away
  std::uint64_t handshakes_anew = 0, handshakes_resumed = 0;  ///< of TLS, done
  std::uint64_t handshakes_waiting = 0;                       ///< for their turn, now
  std::uint64_t handshakes_waiting_max = 0;                   ///< how many may
  std::uint64_t dropped_slow = 0;                             ///< did not read for write_stall_max
  std::uint64_t dropped_idle = 0;
};

class Gateway {
 public:
  Gateway(GatewayOptions options, GatewayParts parts, any_io_executor executor, std::uint16_t worker);
  /// Answers of the backend that are still under way find nobody, harmlessly.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  /// Listens with SO_REUSEPORT and accepts from now on. Fails as Listener::open does. May be called several times.
  Result<tcp::endpoint> listen(const HostPort& where);

  /// What partitions send to connections of this worker. For those that are gone it is dropped.
  void deliver(std::vector<chat::Delivery> deliveries);

  /// The nodes that take clients, this one among them as `self` while it does. Sessions are told their endpoints in the
  /// answer to a log-in, and those that are live, spread over endpoints_spread, when theirs have changed. Empty: this is
  /// the only node, and nobody is told anything.
  void set_nodes(std::vector<NodeEndpoint> nodes, NodeId self = {});

  /// The partition has another primary, to which this worker's Attachments lead by now: the sessions of its users
  /// register there anew, behind what they were given. May be called as often as one likes.
  void reattach(PartitionId partition);

  /// Leaves: stops accepting, and tells the sessions, in waves, to move to other nodes (set_nodes): each is served until
  /// it has gone. Where there is nobody to move to, and for those who stay too long, as below. Two seconds before the
  /// deadline (half-way, if it is sooner) everybody left gets Goodbye. A second call as below.
  void drain(DrainOptions options, std::function<void()> empty);
  /// The same with the defaults. Without other nodes: stops accepting, lets requests under way finish, says good-bye with the hint, and closes; what is left at the
  /// deadline is closed hard; a second call may bring the deadline forward (its `empty` is ignored). `empty` is called
  /// once, when nothing is left and the gateway may be destroyed; never from within.
  void drain(std::chrono::milliseconds retry_after, std::chrono::milliseconds deadline, std::function<void()> empty);

  /// While `aside`, sessions are told, in waves as in a drain, to move to other nodes: this one can't reach all of those
  /// who lead partitions. Who has not gone half a second after its time gets Goodbye. Whoever comes is served, and told
  /// so in its turn. Nothing where there is nobody to move to.
  void stand_aside(bool aside);

  /// Drives time-outs, rates and hold-backs. Called by an own timer unless that is off.
  void tick(SteadyTime now);

  GatewayFigures figures() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::gateway
