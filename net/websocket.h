/// WebSocket over a Stream.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/asio.h"
#include "net/stream.h"
#include "proto/frame.h"

namespace holdfast {

inline constexpr std::string_view kWebSocketSubprotocol = "holdfast.v1";

struct WebSocketOptions {
  std::size_t message_bytes_max = kFrameBytesMax;
  std::chrono::milliseconds handshake_max{10'000};  ///< for the opening and for the closing handshake
  std::chrono::milliseconds idle_max{60'000};       ///< silent this long (pings are sent at half of it): closed
};

/// One WebSocket connection (RFC 6455), binary messages only.
///
/// Owned by its connection's coroutine; owns the stream. On the stream's thread. One read and one write may be under
/// way at a time, by two coroutines; close() beside either. Pings are answered within read(), so a read should always
/// be under way. The connection outlives every awaitable it returned.
class WebSocketConnection {
 public:
  /// Server side of the opening handshake on a stream at which an HTTP GET arrives. Path "/" or "/v1", with or without
  /// a query. Answers the subprotocol if the client offers it; offering none is fine. Anything that is not such an
  /// upgrade is answered (400, 404, 426 or 431), and fails with invalid_argument. Time-out: retry_later.
  static Awaitable<Result<std::unique_ptr<WebSocketConnection>>> accept(std::unique_ptr<Stream> stream,
                                                                        WebSocketOptions options);
  /// Client side, on a connected stream (after the TLS handshake, if any). `host` as in "chat.example.org:7400".
  static Awaitable<Result<std::unique_ptr<WebSocketConnection>>> connect(std::unique_ptr<Stream> stream,
                                                                         std::string host, WebSocketOptions options);
  ~WebSocketConnection();
  WebSocketConnection(const WebSocketConnection&) = delete;
  WebSocketConnection& operator=(const WebSocketConnection&) = delete;

  /// The next binary message. Every failure is the end of the connection: too_large (closed with 1009),
  /// invalid_argument (text: closed with 1003; or a broken protocol: 1002), retry_later (idle too long), io (closed by
  /// the peer or gone).
  Awaitable<Result<std::string>> read();
  /// Sends one binary message. Fails with io.
  Awaitable<Status> write(std::string message);
  /// The closing handshake, bounded by handshake_max. Codes: RFC 6455, 7.4; the reason is cut at 123 bytes. A read
  /// under way fails. Closing what is closed is in order.
  Awaitable<void> close(std::uint16_t code, std::string reason);
  /// Closes the socket at once.
  void abort();

  /// X-Forwarded-For of the upgrade, on the server's side: anybody's word. Several: with commas between.
  const std::string& forwarded_for() const;
  /// The code with which the peer closed, 0 if it did not (or not in order).
  std::uint16_t peer_close_code() const;
  Stream& stream();

 private:
  struct Impl;
  explicit WebSocketConnection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
