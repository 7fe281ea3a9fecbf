/// What the gateway knows of a client's connection, whatever carries its frames.
///
/// Owned by the gateway; on its thread. A connection that closed is kept until nothing waits for it any more
/// (is_quiet()), so callbacks and coroutines of its own may hold a plain pointer to it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/time.h"
#include "server/gateway/admission.h"
#include "server/gateway/options.h"
#include "server/gateway/session.h"

namespace holdfast::gateway {

class Connection;

/// Counted over all connections of a gateway.
struct WireCounters {
  std::uint64_t bytes_in = 0, bytes_out = 0, frames_out = 0, writes = 0, dropped_slow = 0;
};

/// What connections have in common, and whom they tell.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  /// It may have something to write: flush() is called at the end of this turn of the loop.
  virtual void mark_dirty(Connection& connection) = 0;
  /// It reads no further until resume(): which is called after each flush(), and with every tick.
  virtual void mark_paused(Connection& connection) = 0;
  /// It closed just now; it is destroyed later.
  virtual void on_closed(Connection& connection) = 0;
  /// For one read at a time; never held over a turn of the loop.
  virtual std::span<char> read_buffer() = 0;
  virtual SteadyTime now() const = 0;
  virtual WireCounters& wire() = 0;
  virtual const GatewayOptions& options() const = 0;
};

class Connection {
 public:
  Connection(ConnectionOwner& owner, SessionParts parts, chat::ConnectionRef self, std::string peer_address,
             Admission::Place place, SteadyTime accepted)
      : owner_(owner),
        self_(self),
        place_(std::move(place)),
        session_(parts, self, std::move(peer_address), accepted) {}
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Begins to read. Once.
  virtual void start() = 0;
  /// Writes what the session has to say, as far as it goes, and closes behind the last of it if the session is over.
  virtual void flush() = 0;
  /// Goes on reading if it paused and need no longer.
  virtual void resume() = 0;
  virtual void on_tick(SteadyTime now) = 0;

  /// Closes at once; idempotent. The session stays resumable.
  void close() {
    if (closed_) return;
    closed_ = true;
    session_.leave();
    close_carrier();
    owner_.on_closed(*this);
  }
  bool is_closed() const { return closed_; }
  /// Closed, and nothing of its own is under way any more.
  bool is_quiet() const { return closed_ && waits_ == 0; }

  Session& session() { return session_; }
  std::uint64_t id() const { return self_.connection; }

  // The gateway's book-keeping.
  std::size_t ring_index = 0;
  bool in_dirty = false;
  bool in_paused = false;

 protected:
  virtual void close_carrier() = 0;
  /// Whether the client took nothing for too long; counts it.
  bool has_stalled(SteadyTime now) {
    if (!stalled_at_ || now - *stalled_at_ < owner_.options().write_stall_max) return false;
    ++owner_.wire().dropped_slow;
    return true;
  }

  ConnectionOwner& owner_;
  std::uint32_t waits_ = 0;               ///< callbacks and coroutines that will still come back to this
  std::optional<SteadyTime> stalled_at_;  ///< writing waits since then

 private:
  const chat::ConnectionRef self_;
  Admission::Place place_;
  Session session_;
  bool closed_ = false;
};

}  // namespace holdfast::gateway
