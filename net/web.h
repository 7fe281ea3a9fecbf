/// WebSocket and HTTP/1.1 over a Stream. Its .cc is the one file that includes Beast.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/asio.h"
#include "net/listener.h"
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

  /// The code with which the peer closed, 0 if it did not (or not in order).
  std::uint16_t peer_close_code() const;
  Stream& stream();

 private:
  struct Impl;
  explicit WebSocketConnection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct HttpRequest {
  std::string method;                                        ///< "GET"
  std::string target;                                        ///< as sent: "/metrics?name=x"
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case, in the order sent
  std::string body;
  std::string remote;  ///< "127.0.0.1:51234"; not for logs

  std::string_view path() const;                               ///< the target up to '?'
  std::string_view query() const;                              ///< behind '?', or empty
  std::string_view header(std::string_view lower_case) const;  ///< the first of that name, or empty
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< besides what the server sets itself
};

/// Called on the stream's thread; must not block. HEAD is asked as GET and its body left out.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

/// Gives the one answer; what is given later is dropped. Any thread, for as long as the stream's loop exists.
using HttpReply = std::function<void(HttpResponse)>;
/// For answers that take a while (HttpOptions::answer_max: then 504). Called as HttpHandler is.
using HttpAsyncHandler = std::function<void(HttpRequest, HttpReply)>;

struct HttpOptions {
  std::size_t header_bytes_max = 8 * 1024;        ///< more: 431
  std::size_t body_bytes_max = 64 * 1024;         ///< more: 413
  std::chrono::milliseconds request_max{10'000};  ///< from a request's first byte to its last: else close
  std::chrono::milliseconds idle_max{30'000};     ///< between requests: else close
  std::chrono::milliseconds answer_max{10'000};   ///< for the handler's answer: else 504
  std::chrono::milliseconds write_max{30'000};    ///< for one answer to be taken by the peer: else close
  std::size_t requests_max = 1000;                ///< on one connection
};

/// Serves requests one after the other (keep-alive, pipelining in order) until either side ends it. What is no HTTP/1.x
/// request is answered 400 and ends it. A TLS stream has finished its handshake. Never throws but by cancellation.
Awaitable<void> serve_http(std::unique_ptr<Stream> stream, HttpHandler handler, HttpOptions options = {});
Awaitable<void> serve_http(std::unique_ptr<Stream> stream, HttpAsyncHandler handler, HttpOptions options = {});

/// Asks a server once, in plain text, on a connection of its own; method, target, headers and body of `request` are sent.
/// Any status is an answer. Fails with io (nobody there, or gone), retry_later (the time is up) or invalid_argument (that
/// is no HTTP). The time is for all of it.
Awaitable<Result<HttpResponse>> fetch_http(HostPort where, HttpRequest request, std::chrono::milliseconds time_max);

}  // namespace holdfast
