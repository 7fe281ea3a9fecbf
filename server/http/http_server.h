/// A small HTTP server on one worker: one listener, one handler, few connections.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"
#include "net/asio.h"
#include "net/http.h"
#include "net/listener.h"
#include "net/task_group.h"
#include "net/tls.h"
#include "net/trusted_proxies.h"
#include "server/http/seats.h"

namespace holdfast::http {

struct HttpServerOptions {
  std::size_t connections_max = 256;  ///< more are closed at once
  /// From one address: one client does not shut the others out. Of those that come through a trusted proxy as many
  /// requests are answered at the same time; more: 429.
  std::size_t connections_of_one_max = 64;
  TrustedProxies proxies;         ///< HttpRequest::remote is whom they name
  std::optional<TlsContext> tls;  ///< with it TLS is spoken to those who begin with it, HTTP to the others
};

/// Owned by a worker, on its thread (or used while that does not run). After listen(), it may only be destroyed when
/// stop() has called back.
class HttpServer {
 public:
  HttpServer(any_io_executor executor, HttpHandler handler, HttpServerOptions options = {});
  HttpServer(any_io_executor executor, HttpAsyncHandler handler, HttpServerOptions options = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Fails as Listener::open does. Once.
  Result<tcp::endpoint> listen(const HostPort& where);
  /// Closes the listener and all connections at once; `stopped` is called later, when all is gone.
  void stop(std::function<void()> stopped);

  std::uint64_t requests() const { return requests_; }

 private:
  void accept(tcp::socket socket);
  Awaitable<void> serve(std::unique_ptr<Stream> stream, Seats::Seat seat);
  void answer(const std::string& peer, HttpRequest request, HttpReply reply);
  Awaitable<bool> open(Stream& stream);
  Awaitable<void> tell_when_stopped(std::function<void()> stopped);

  const HttpAsyncHandler handler_;
  const HttpServerOptions options_;
  std::uint64_t requests_ = 0;
  std::unique_ptr<Listener> listener_;
  Seats seats_;
  TaskGroup tasks_;   ///< the accept loop and connections
  TaskGroup ending_;  ///< what awaits tasks_
};

}  // namespace holdfast::http
