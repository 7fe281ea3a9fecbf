/// A client that speaks length-prefixed frames over TCP or TLS.
///
/// Driven by readiness, without a coroutine: what an idle connection keeps is this object and its socket. Reads go
/// into the worker's one buffer; only an unfinished frame, or what was read when the session could take no more, is
/// kept here.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/stream.h"
#include "proto/frame.h"
#include "server/gateway/connection.h"

namespace holdfast::gateway {

class NativeConnection final : public Connection {
 public:
  NativeConnection(ConnectionOwner& owner, SessionParts parts, chat::ConnectionRef self, std::string peer_address,
                   Admission::Place place, SteadyTime accepted, std::unique_ptr<Stream> stream);

  void start() override { read(); }
  void flush() override;
  void resume() override;
  void on_tick(SteadyTime now) override;

 private:
  void close_carrier() override { stream_->close(); }

  void wait_readable();
  void wait_writable();
  void read();
  /// What one read brought. False: read no further for now.
  bool take(std::string_view bytes);
  /// Frames off the front of `bytes` as long as the session takes them.
  void feed(std::string_view& bytes);
  void pause(std::string_view rest);
  /// Everything is written and the session is over: no more from us; the rest of what the client sends is thrown away,
  /// for a socket closed with unread bytes takes back the last ones written (RFC 1122, 4.2.2.13).
  void linger();

  std::unique_ptr<Stream> stream_;
  FrameDecoder decoder_;
  std::string unfed_;           ///< read, but the session could not take it yet
  std::size_t unfed_from_ = 0;  ///< of unfed_
  bool paused_ = false;
  bool feeding_ = false;                                      ///< answers may come from within
  bool reading_ = false, writing_ = false;                    ///< a wait is under way
  bool read_wants_write_ = false, write_wants_read_ = false;  ///< TLS
  std::optional<SteadyTime> lingers_until_;
};

}  // namespace holdfast::gateway
