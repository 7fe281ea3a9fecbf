/// The inside of Gateway: the book of connections, and what opens them.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <string>
#include <vector>

#include "net/listener.h"
#include "net/stream.h"
#include "net/task_group.h"
#include "server/gateway/connection.h"
#include "server/gateway/crowd.h"
#include "server/gateway/gateway.h"
#include "server/gateway/handshakes.h"
#include "server/gateway/wave.h"

namespace holdfast::gateway {

struct Gateway::Impl final : SessionHost, ConnectionOwner, std::enable_shared_from_this<Gateway::Impl> {
  Impl(GatewayOptions options, GatewayParts parts, any_io_executor executor, std::uint16_t worker);
  void start_timer();
  void stop();
  /// Whether the loop still holds anything that points here.
  bool is_busy() const;

  Result<tcp::endpoint> listen(const HostPort& where);
  void adopt(tcp::socket socket, const tcp::endpoint& remote);
  void deliver(std::vector<chat::Delivery> deliveries);
  void set_nodes(std::vector<NodeEndpoint> nodes, NodeId self);
  void reattach(PartitionId partition);
  void stand_aside(bool aside);
  void drain(DrainOptions options, std::function<void()> empty);
  void tick(SteadyTime now);
  GatewayFigures figures() const;

  // SessionHost
  void run(std::uint64_t connection, Ticket ticket, chat::Caller caller, v1::ClientFrame request) override;
  void keep(std::uint64_t connection, UserId user, SessionId session) override;
  PartitionId partition_of_user(const UserId& user) const override;
  WallTime wall_now() const override { return parts_.backend.now(); }
  std::vector<std::string> endpoints_of(const SessionId& session) const override;

  // ConnectionOwner
  void mark_dirty(Connection& connection) override;
  void mark_paused(Connection& connection) override;
  void on_closed(Connection& connection) override;
  std::span<char> read_buffer() override { return read_buffer_; }
  SteadyTime now() const override { return parts_.clock(); }
  WireCounters& wire() override { return wire_; }
  const GatewayOptions& options() const override { return options_; }

 private:
  /// A socket of which it is not yet known what it speaks.
  struct Opening {
    Stream* stream;
    SteadyTime since;
  };
  struct Refused {
    std::uint64_t full = 0, plaintext = 0, garbage = 0, stopped = 0, tls = 0, busy = 0, gone = 0;
  };
  struct Secured {
    std::uint64_t anew = 0, resumed = 0;
  };
  struct Spoken {
    std::uint64_t plain = 0, tls = 0, websocket = 0;
  };

  // opening.cc: from an accepted socket to a connection. The task group keeps the coroutines' frames; this outlives it.
  AcceptGo next_accepts(const Backlog& backlog);
  bool is_sent_away(int descriptor);
  Awaitable<void> open(std::uint64_t id, std::unique_ptr<Stream> stream, Admission::Place place, SteadyTime since);
  Awaitable<std::optional<FirstBytes>> first_bytes(Stream& stream);
  Awaitable<bool> secure(Stream& stream);
  Awaitable<void> open_websocket(std::uint64_t id, std::unique_ptr<Stream> stream, Admission::Place place,
                                 SteadyTime since);
  bool may_go_on(Stream& stream, FirstBytes kind);
  void add_native(std::uint64_t id, std::unique_ptr<Stream> stream, Admission::Place place, SteadyTime since);

  void add(std::unique_ptr<Connection> connection);
  SessionParts session_parts();
  chat::ConnectionRef ref(std::uint64_t id) const { return {worker_, id}; }
  Connection* find(std::uint64_t id);

  void schedule_flush();
  void flush_dirty();
  void resume_paused();
  void visit_some(SteadyTime now);
  void end_stopped_openings(SteadyTime now);
  // moving.cc: who goes where, and when
  std::vector<std::string> targets_of(const SessionId& session) const;
  void start_moving(const DrainOptions& options);
  void tell_some(SteadyTime now);
  void move_some(SteadyTime now);
  void stand_aside_some(SteadyTime now);
  void move(std::uint64_t connection, const DrainOptions& options, SteadyTime now);
  void say_goodbye_to_all(std::chrono::milliseconds retry_after);

  void close_all();
  void reap();
  void look_if_empty();

  const GatewayOptions options_;
  GatewayParts parts_;
  const any_io_executor executor_;
  const std::uint16_t worker_;

  std::vector<char> read_buffer_;
  boost::unordered_flat_map<std::uint64_t, std::unique_ptr<Connection>> connections_;  ///< open ones
  std::vector<Connection*> ring_;  ///< the same, in the order in which ticks visit them
  std::size_t ring_next_ = 0;
  std::vector<std::unique_ptr<Connection>> closed_;  ///< until they are quiet
  std::vector<Connection*> dirty_, flushing_, paused_, resuming_;
  bool flush_posted_ = false;
  boost::unordered_flat_map<std::uint64_t, Opening> openings_;
  std::uint64_t next_id_ = 1;

  std::vector<std::unique_ptr<Listener>> listeners_;
  boost::asio::steady_timer timer_;
  SessionCounters session_counters_;
  WireCounters wire_;
  Refused refused_;
  Spoken spoken_;
  Secured secured_;
  Crowd crowd_;
  const std::shared_ptr<Handshakes> handshakes_;

  std::vector<NodeEndpoint> nodes_;  ///< that take clients; empty: only this one
  NodeId node_{};                    ///< this one
  Wave telling_;                     ///< who is to hear of its endpoints

  struct Draining {
    DrainOptions options;
    SteadyTime deadline;
    std::function<void()> empty;
    Wave moving;                         ///< who is to be told to move
    std::optional<SteadyTime> hurry_at;  ///< while there are some who have not been told Goodbye
  };
  std::optional<Draining> draining_;
  bool aside_ = false;
  Wave standing_aside_;  ///< who is to be told to move while we stand aside
  TaskGroup tasks_;      ///< accept loops, openings, WebSockets
};

}  // namespace holdfast::gateway
